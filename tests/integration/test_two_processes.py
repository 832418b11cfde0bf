"""Readers and writers at the same time, and runs that are killed in the middle."""

import ast
import json
import random
import shutil
import subprocess
import sys
import threading
import time

import duckdb
import pytest
from running import (
    PROJECT,
    copy_home,
    environment,
    file_hashes,
    finish,
    freefall,
    shown_to_users,
    start,
    wait_until_open,
)

from pipelines.paths import Home
from pipelines.schema.catalog import PUBLISHED
from pipelines.warehouse.connection import open_published

pytestmark = pytest.mark.slow

_READER = """
import select, sys
from pathlib import Path
from pipelines.warehouse.connection import open_published
slow = "select count(*), sum(hash(event, n)::hugeint)::varchar from core.price_event as event, range(200) as copies(n)"
with open_published(Path(sys.argv[1])) as connection:
    answers, asked = set(), 0
    # Queries without a pause, so that one is always running while the file is replaced.
    while not select.select([sys.stdin], [], [], 0)[0]:
        answers.add(connection.execute(slow).fetchall()[0])
        asked += 1
        if asked == 1:
            print("reading", flush=True)
print(asked, sorted(answers), flush=True)
"""

_PUBLISHER = """
import itertools, sys
from pathlib import Path
from pipelines.paths import Home
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.publish import publish
home, times = Home(Path(sys.argv[1])), int(sys.argv[2])
with open_warehouse(home) as connection:
    for _ in range(times):
        print("publishing", flush=True)
        publish(connection, home)
        print("published", flush=True)
"""


def _python(code, *arguments, home):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=PROJECT,
        env=environment(home.root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _content(database):
    """Return a hash of every table of a published database, independent of the bytes of the file."""
    with open_published(database) as connection:
        return {
            table.qualified: connection.execute(
                f"select count(*), sum(hash(t)::hugeint)::varchar from {table.qualified} as t"
            ).fetchall()
            for table in PUBLISHED
        }


@pytest.fixture
def own_home(built, tmp_path):
    return Home(copy_home(built.home.root, tmp_path / "my home"))


def test_a_second_run_is_refused_in_seconds_and_names_the_first(repeat):
    assert repeat.third.code == 1
    assert repeat.third_seconds < 30
    (line,) = [line for line in repeat.third.text.splitlines() if line.startswith(("failed", "freefall:"))]
    assert f"another run is writing (process {repeat.second_process})" in line
    assert "warehouse.duckdb" in line
    assert "Traceback" not in repeat.third.text


def test_the_first_run_is_unharmed_by_the_refused_one(repeat):
    assert repeat.second.code == 0, repeat.second.text
    assert repeat.second.summary["ok"] is True
    assert repeat.rows_after == repeat.rows_before


def test_a_reader_keeps_its_answers_while_a_new_file_is_published(own_home):
    count = "select count(*) from core.price_event"
    with open_published(own_home.published_database) as connection:
        (before,) = connection.execute(count).fetchall()[0]
    # The next publication says something else, so a reader that came to look at it would notice.
    with duckdb.connect(str(own_home.warehouse)) as connection:
        connection.execute("delete from core.price_event where meter <> 'input'")
        (kept,) = connection.execute(count).fetchall()[0]
    assert 0 < kept < before
    reader = _python(_READER, own_home.published_database, home=own_home)
    try:
        assert reader.stdout.readline() == "reading\n"
        published = finish(_python(_PUBLISHER, own_home.root, 2, home=own_home))
        assert published.code == 0, published.text
        with open_published(own_home.published_database) as connection:
            assert connection.execute(count).fetchall() == [(kept,)]
        reader.stdin.write("enough\n")
        reader.stdin.flush()
    except BaseException:
        reader.kill()
        raise
    read = finish(reader)
    assert read.code == 0, read.text
    asked, answers = read.out.split(maxsplit=1)
    assert int(asked) > 1
    ((rows, _),) = ast.literal_eval(answers)
    assert rows == 200 * before


def test_a_kill_while_publishing_leaves_the_old_or_the_new(own_home):
    content, parquet = _content(own_home.published_database), file_hashes(own_home.published / "parquet")
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    for round_number in range(4):
        publisher = _python(_PUBLISHER, own_home.root, 1000, home=own_home)
        assert publisher.stdout.readline() == "publishing\n"
        time.sleep(moments.uniform(0, 0.8))
        publisher.kill()
        publisher.communicate()
        place = f"seed {seed}, round {round_number}"
        assert _content(own_home.published_database) == content, place
        assert file_hashes(own_home.published / "parquet") == parquet, place
    # The next publication clears what the kills left behind.
    assert finish(_python(_PUBLISHER, own_home.root, 1, home=own_home)).code == 0
    assert {path.name for path in own_home.published.iterdir()} == {"freefall.duckdb", "parquet"}
    assert _content(own_home.published_database) == content
    assert file_hashes(own_home.published / "parquet") == parquet


class _Watch(threading.Thread):
    """Somebody who opens the published database again and again, and notes each time it fails."""

    def __init__(self, database):
        super().__init__(daemon=True)
        self.database, self.stop = database, threading.Event()
        self.opened, self.faults = 0, []

    def run(self):
        while not self.stop.wait(0.25):
            try:
                with open_published(self.database) as connection:
                    rows = connection.execute("select count(*) from mart.claim_verdict").fetchall()
                if rows != [(4,)]:
                    self.faults.append(f"{rows} verdicts")
                self.opened += 1
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is looked for
                self.faults.append(f"{type(error).__name__}: {error}")


def test_killed_runs_lose_nothing_and_the_next_one_gives_the_same_bytes(built, own_home):
    # Published before, and a warehouse to be made anew: everything is rebuilt while somebody reads.
    own_home.warehouse.unlink()
    shutil.rmtree(own_home.archive)
    before = shown_to_users(own_home.root)
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    watch = _Watch(own_home.published_database)
    watch.start()
    killed = []
    try:
        for longest in (3, 5, 9):
            run = start(own_home.root, "run", "--json")
            # Most of a run's first seconds are imports; what is interesting begins when it has the warehouse.
            wait_until_open(run.pid, own_home.warehouse)
            try:
                run.communicate(timeout=moments.uniform(0, longest))
            except subprocess.TimeoutExpired:
                run.kill()
                run.communicate()
            killed.append(run.returncode)
        last = freefall(own_home.root, "run", "--json")
    finally:
        watch.stop.set()
        watch.join()
    place = f"seed {seed}, ended with {killed}"
    assert -9 in killed, place
    assert last.code == 0, f"{place}: {last.text}"
    assert watch.faults == [], place
    assert watch.opened > 10
    after = shown_to_users(own_home.root)
    parquet = {name: sha256 for name, sha256 in before.items() if name.endswith(".parquet")}
    assert parquet
    assert {name: sha256 for name, sha256 in after.items() if name.endswith(".parquet")} == parquet, place
    fresh, first = _content(own_home.published_database), _content(built.home.published_database)
    # When it was built is the only thing that differs.
    assert {name for name in fresh if fresh[name] != first[name]} <= {"meta.vintage"}, place
    with duckdb.connect(str(own_home.warehouse), read_only=True) as connection:
        assert connection.execute("select count(*) from meta.vintage").fetchall() == [(1,)]
    assert json.loads(own_home.last_run.read_text(encoding="utf-8"))["failures"] == []
