"""How the integration tests start freefall: as a user does, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
_GUARD = Path(__file__).resolve().parent / "guard"
# What a checkout needs to run; a copy of it can be spoilt without touching the real one.
_NEEDED = ("pipelines", "sql", "data/reference", "dashboards", "pyproject.toml", "dagster.yaml")


def environment(home: Path, *, report: Path | None = None, **more: str) -> dict[str, str]:
    """A clean environment: none of our or Dagster's settings, an empty home folder, and the network guard."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("FREEFALL_", "DAGSTER_", "PYTEST_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    user_folder = home.with_name(f"{home.name} user")
    user_folder.mkdir(parents=True, exist_ok=True)
    guard = {"PYTHONPATH": str(_GUARD), "FREEFALL_GUARD_REPORT": str(report)} if report else {}
    return kept | {"HOME": str(user_folder), "NO_COLOR": "1", "COLUMNS": "400"} | guard | more


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", "--home", str(home), *arguments]


def start(
    home: Path, *arguments: str, project: Path = PROJECT, report: Path | None = None, **named: Any
) -> subprocess.Popen[str]:
    more = named.pop("env", {})
    return subprocess.Popen(
        command(home, *arguments),
        cwd=project,
        env=environment(home, report=report, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **named,
    )


@dataclass(frozen=True)
class Ended:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads(self.out)


def finish(process: subprocess.Popen[str], *, seconds: float = 180) -> Ended:
    try:
        out, err = process.communicate(timeout=seconds)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, out, err)


def freefall(home: Path, *arguments: str, **named: Any) -> Ended:
    return finish(start(home, *arguments, **named))


def run_python(code: str, *arguments: str, home: Path, project: Path = PROJECT, **named: Any) -> Ended:
    """Run a few lines of Python that import pipelines."""
    more = named.pop("env", {})
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=project,
        env=environment(home, report=named.pop("report", None), **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **named,
    )
    return finish(process)


def guard_report(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def copy_home(home: Path, target: Path, parts: Sequence[str] = ("data", "dashboards")) -> Path:
    """Copy what a run made, without Dagster's own records: a test may then write to it."""
    for part in parts:
        shutil.copytree(home / part, target / part, ignore=shutil.ignore_patterns(".dagster"))
    return target


def copy_project(target: Path) -> Path:
    """Copy the checkout as far as a run needs it."""
    for name in _NEEDED:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, place, ignore=shutil.ignore_patterns("__pycache__", "site"))
        else:
            shutil.copyfile(PROJECT / name, place)
    return target


def file_hashes(*folders: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below some folders."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def shown_to_users(home: Path) -> dict[str, str]:
    """Return the SHA-256 of everything that readers see, by path below the home."""
    hashes = file_hashes(home / "data" / "published", home / "dashboards" / "site")
    return {str(Path(name).relative_to(home)): sha256 for name, sha256 in hashes.items()}


def wait_until_open(process: int, path: Path, seconds: float = 60) -> None:
    """Wait until a process has a file open; without /proc that can't be seen, so the test is skipped."""
    folder = Path(f"/proc/{process}/fd")
    if not folder.is_dir():
        os.kill(process, signal.SIGKILL)
        pytest.skip("needs /proc to see which process has a file open")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for handle in folder.iterdir():
            try:
                if handle.readlink() == path:
                    return
            except OSError:  # closed between listing and looking
                continue
        time.sleep(0.02)
    raise TimeoutError(f"process {process} did not open {path} within {seconds} s")
