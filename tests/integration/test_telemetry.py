"""Dagster tells nobody: neither the runs of `freefall` nor the tools that start Dagster itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import PROJECT, environment, guard_report, run_python

_PREPARE = """
import json, os, sys
from pathlib import Path
from pipelines.cli.run import prepare_dagster
from pipelines.paths import Home
prepare_dagster(Home(Path(sys.argv[1])))
from dagster import DagsterInstance
from dagster._core.telemetry import _get_instance_telemetry_enabled
from dagster._core.telemetry_upload import is_running_in_test
from dagster_shared.telemetry import get_telemetry_enabled_from_dagster_yaml
with DagsterInstance.get() as instance:
    print(json.dumps({
        "home": os.environ["DAGSTER_HOME"],
        "switch": os.environ["DAGSTER_DISABLE_TELEMETRY"],
        "instance": _get_instance_telemetry_enabled(instance),
        "yaml": get_telemetry_enabled_from_dagster_yaml(),
        "upload_is_off": is_running_in_test(),
    }))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    home = tmp_path_factory.mktemp("dagster") / "my home"
    ended = run_python(_PREPARE, str(home), home=home, report=home.with_name("guard.jsonl"))
    assert ended.code == 0, ended.text
    return home, json.loads(ended.out)


def test_the_prepared_instance_has_telemetry_off(prepared):
    home, found = prepared
    assert found == {
        "home": str(home / "data" / ".dagster"),
        "switch": "1",
        "instance": False,
        "yaml": False,
        "upload_is_off": True,
    }


@pytest.mark.slow
def test_dg_lists_the_definitions_without_a_warning_or_a_word_to_anybody(prepared):
    home, found = prepared
    report = home.with_name("dg.jsonl")
    more = {"DAGSTER_HOME": found["home"], "DAGSTER_DISABLE_TELEMETRY": found["switch"], "FREEFALL_HOME": str(home)}
    # Without an activated environment, as `make dev` and services start it.
    variables = {name: text for name, text in environment(home, report=report, **more).items() if name != "VIRTUAL_ENV"}
    ended = subprocess.run(
        [Path(sys.executable).with_name("dg"), "list", "defs"],
        cwd=PROJECT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "core/price_event" in ended.stdout
    assert [entry for entry in guard_report(report) if "attempt" in entry] == []
    user_folder = home.with_name(f"{home.name} user")
    assert [str(path) for path in user_folder.rglob("*") if ".dagster" in path.parts] == []
    assert not (Path(found["home"]) / "logs" / "event.log").exists()
    said = (ended.stdout + ended.stderr).lower()
    noise = [line for line in said.splitlines() if any(word in line for word in ("warning", "error", "telemetry"))]
    # A check may have one of the words in its name or description; those stand inside the table.
    assert [line for line in noise if "│" not in line] == []
    assert ended.stderr == ""


def test_make_dev_sets_home_and_switch():
    make = shutil.which("make")
    makefile = PROJECT / "Makefile"
    if make is None or not makefile.is_file() or "\ndev:" not in makefile.read_text(encoding="utf-8"):
        pytest.skip("needs make and a `dev` target")
    ended = subprocess.run(
        [make, "-n", "dev"], cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    (starting,) = [line for line in ended.stdout.splitlines() if "dg" in line and " dev" in line]
    assert f'DAGSTER_HOME="{PROJECT}/data/.dagster"' in starting
    assert "DAGSTER_DISABLE_TELEMETRY=1" in starting
