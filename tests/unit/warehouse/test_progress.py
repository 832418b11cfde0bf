"""Whether a run has anything to do."""

import json
from datetime import UTC, datetime

import pytest

from pipelines.paths import Home
from pipelines.warehouse import progress
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.progress import Progress, inputs_hash, unchanged_run

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_only_a_run_that_came_to_its_end_without_failure_records_its_inputs():
    ended = Progress(inputs="hash", vintage_id="v1")
    assert json.loads(ended.as_json(NOW, has_ended=True))["inputs"] == "hash"
    assert json.loads(Progress(inputs="hash").as_json(NOW, has_ended=False))["inputs"] is None
    failed = Progress(inputs="hash", vintage_id="v1", failures=["no"])
    assert json.loads(failed.as_json(NOW, has_ended=True))["inputs"] is None


def test_the_hash_of_the_inputs_knows_facts_and_pages(tmp_path, monkeypatch):
    before = inputs_hash()
    assert inputs_hash() == before
    for name in ("REFERENCE", "DASHBOARDS", "SQL"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "new.csv").write_text("a")
        with monkeypatch.context() as patched:
            patched.setattr(progress, name, folder)
            assert inputs_hash() != before


def test_the_built_site_is_no_input(tmp_path, monkeypatch):
    (tmp_path / "page.toml").write_text("a")
    monkeypatch.setattr(progress, "DASHBOARDS", tmp_path)
    before = inputs_hash()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("b")
    assert inputs_hash() == before


@pytest.mark.parametrize("record", [None, "[]", "{", '{"inputs": null}', '{"inputs": "other"}'])
def test_without_a_record_of_these_inputs_there_is_work_to_do(tmp_path, record):
    home = Home(tmp_path)
    home.data.mkdir(parents=True)
    if record is not None:
        home.last_run.write_text(record)
    assert unchanged_run(home) is None


def test_a_record_without_its_tables_means_work_to_do(tmp_path, monkeypatch):
    home = Home(tmp_path)
    monkeypatch.setattr(progress, "is_published", lambda _: True)
    home.site.mkdir(parents=True)
    (home.site / "index.html").write_text("")
    with open_warehouse(home):
        pass
    home.last_run.write_text(json.dumps({"inputs": inputs_hash(), "vintage_id": None}))
    assert unchanged_run(home) is None
