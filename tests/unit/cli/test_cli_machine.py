"""`serve` and `doctor`: what stands in the way on this machine is said before it hurts."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request

import duckdb
import pytest

from pipelines.cli import doctor
from pipelines.cli.main import main
from pipelines.paths import PROJECT, REFERENCE, Home


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def freefall(capsys, monkeypatch, home):
    """Run the command in this process; give exit code, standard output and standard error."""
    monkeypatch.setenv("FREEFALL_HOME", str(home.root))

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


@pytest.fixture
def findings(freefall):
    def look(*options):
        code, said, _ = freefall("doctor", "--json", *options)
        return code, {finding["name"]: (finding["is_fine"], finding["found"]) for finding in json.loads(said)}

    return look


def test_a_port_in_use_is_said(freefall, home):
    home.site.mkdir(parents=True)
    (home.site / "index.html").write_text("<p>site</p>")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, complaint = freefall("serve", "--port", str(port))
    assert code == 1
    assert complaint == f"freefall: port {port}: cannot be used (Address already in use); choose another with --port\n"


def test_serve_shows_the_site_on_this_machine_only(home):
    home.site.mkdir(parents=True)
    (home.site / "index.html").write_text("<p>site</p>")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "pipelines.cli", "serve", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=os.environ | {"FREEFALL_HOME": str(home.root)},
    ) as server:
        assert server.stdout.readline().startswith(f"http://127.0.0.1:{port}/")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            assert answer.read() == b"<p>site</p>"
        server.terminate()
        server.wait(10)


def test_a_healthy_machine_is_fine(findings):
    code, found = findings()
    assert [name for name, (is_fine, _) in found.items() if not is_fine] == []
    assert code == 0
    assert found["published database"][1] == "none yet; `freefall run` makes it"
    assert "prices as of 2026-11-09" in found["embedded price list"][1]
    assert "files read" in found["reference files"][1]


def test_findings_for_people_are_one_line_each(freefall):
    code, said, _ = freefall("doctor")
    assert code == 0
    assert all(line.startswith("fine ") for line in said.splitlines())


def test_a_home_that_cannot_be_written_is_a_fault(findings, monkeypatch, home):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    code, found = findings()
    assert code == 1
    assert found["home"] == (False, f"{home.root} cannot be written; choose another folder with --home")


def test_a_home_inside_a_file_is_a_fault(findings, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FREEFALL_HOME", str(tmp_path / "file" / "home"))
    code, found = findings()
    assert code == 1
    assert found["home"][0] is False


def test_a_full_disk_is_a_fault(findings, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    code, found = findings()
    assert code == 1
    assert "1 MB free, a run wants 500 MB" in found["home"][1]


def test_a_malformed_reference_file_is_a_fault_with_its_place(findings, monkeypatch, tmp_path):
    folder = tmp_path / "reference"
    shutil.copytree(REFERENCE, folder)
    with (folder / "population.csv").open("a", encoding="utf-8") as file:
        file.write("2016,many,estimate,high,,\n")
    monkeypatch.setattr(doctor, "REFERENCE", folder)
    code, found = findings()
    assert code == 1
    is_fine, text = found["reference files"]
    assert not is_fine
    assert "population.csv: line " in text
    assert "column people: expected a whole number; found 'many'" in text


def test_a_missing_package_is_a_fault(findings, monkeypatch):
    monkeypatch.setattr(doctor, "_PACKAGES", ("a-package-that-is-not-there",))
    code, found = findings()
    assert code == 1
    assert found["a-package-that-is-not-there"][0] is False


def test_a_damaged_publication_is_a_fault(findings, home):
    home.published.mkdir(parents=True)
    home.published_database.write_bytes(b"no database" * 1000)
    code, found = findings()
    assert code == 1
    assert "cannot be opened" in found["published database"][1]


def test_somebody_elses_database_in_its_place_is_a_fault(findings, home):
    home.published.mkdir(parents=True)
    with duckdb.connect(str(home.published_database)) as connection:
        connection.execute("create table other as select 1")
    code, found = findings()
    assert code == 1
    assert found["published database"][0] is False
