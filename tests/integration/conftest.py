"""One whole run, shared by every test of this folder; who wants to write takes a copy of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from running import Ended, copy_home, finish, freefall, guard_report, shown_to_users, start, wait_until_open

from pipelines.paths import Home
from pipelines.warehouse.connection import open_published


@dataclass(frozen=True)
class Run:
    """A run that has ended, and what it left behind. Its folders are read-only by agreement."""

    home: Home
    ended: Ended
    guard: list[Mapping[str, Any]]

    @property
    def user_folder(self) -> Path:
        """The empty folder that was HOME."""
        return self.home.root.with_name(f"{self.home.root.name} user")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give the run of a first user: an empty home on a path with a space, and no network."""
    folder = tmp_path_factory.mktemp("first run")
    report = folder / "guard.jsonl"
    ended = freefall(folder / "my home", "run", "--json", report=report)
    assert ended.code == 0, ended.text
    return Run(Home(folder / "my home"), ended, guard_report(report))


@pytest.fixture(scope="session")
def answers(built: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the published database as `freefall query` opens it."""
    with open_published(built.home.published_database) as connection:
        yield connection


@dataclass(frozen=True)
class Repeat:
    """A second run on unchanged inputs, and a third that tried to start while it wrote."""

    second: Ended
    second_process: int
    third: Ended
    third_seconds: float
    rows_before: dict[str, int]
    rows_after: dict[str, int]
    files_before: dict[str, tuple[str, int]]
    files_after: dict[str, tuple[str, int]]


@pytest.fixture(scope="session")
def repeat(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Repeat:
    """Give a second run, held still in the middle of its work for as long as a third one tries."""
    home = Home(copy_home(built.home.root, tmp_path_factory.mktemp("second run") / "my home"))
    rows_before, files_before = row_counts(home.warehouse), files_of(home)
    second = start(home.root, "run", "--json")
    try:
        wait_until_open(second.pid, home.warehouse)
        os.kill(second.pid, signal.SIGSTOP)
        began = time.monotonic()
        third = freefall(home.root, "run")
        third_seconds = time.monotonic() - began
    finally:
        os.kill(second.pid, signal.SIGCONT)
    return Repeat(
        finish(second),
        second.pid,
        third,
        third_seconds,
        rows_before,
        row_counts(home.warehouse),
        files_before,
        files_of(home),
    )


def row_counts(database: Path) -> dict[str, int]:
    """Return the rows of every table of a database that nobody else has open."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        return {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in names}


def files_of(home: Home) -> dict[str, tuple[str, int]]:
    """Return hash and time of change of every file that readers see."""
    return {name: (sha256, (home.root / name).stat().st_mtime_ns) for name, sha256 in shown_to_users(home.root).items()}
