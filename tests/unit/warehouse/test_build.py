"""Building a table: skipped when nothing changed, kept only when its checks hold."""

import polars as pl
import pytest

from pipelines.errors import ChecksFailedError, FreefallError
from pipelines.paths import Home
from pipelines.schema.table import Column, Table
from pipelines.warehouse import build
from pipelines.warehouse.build import build_table, content_hash, fill_from_frame, fill_from_select, input_hash
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.sql import Select

TABLE = Table(
    "core",
    "sprout",
    "One row per sprout.",
    (
        Column("sprout", "VARCHAR", "Name."),
        Column("height", "DOUBLE", "Height in m.", minimum=0, nullable=True),
        Column("kind", "VARCHAR", "Kind.", allowed=("tree", "bush"), warn_only=True),
    ),
    ("sprout",),
    "operations",
    minimum_rows=1,
)
GOOD = [("oak", 2.0, "tree"), ("elm", None, "bush")]


@pytest.fixture
def connection(tmp_path):
    with open_warehouse(Home(tmp_path)) as opened:
        yield opened


def frame(rows):
    return pl.DataFrame(rows, schema=TABLE.frame_schema, orient="row")


def built(connection, rows, inputs="first", **options):
    return build_table(connection, TABLE, fill_from_frame(frame(rows)), inputs=inputs, **options)


def rows_of(connection):
    return connection.execute("from core.sprout order by sprout desc").fetchall()


def recorded(connection):
    return dict(
        connection.execute(
            "select check_name, is_passed from meta.check_result where table_name = 'core.sprout'"
        ).fetchall()
    )


def test_a_table_is_filled_checked_and_recorded(connection):
    result = built(connection, GOOD)
    assert (result.rows, result.is_skipped) == (2, False)
    assert rows_of(connection) == GOOD
    assert all(outcome.is_passed for outcome in result.outcomes)
    assert len(recorded(connection)) == len(result.outcomes) == 8
    assert connection.execute("select table_name, input_hash, row_count from meta.table_state").fetchall() == [
        ("core.sprout", "first", 2)
    ]


def test_equal_inputs_are_skipped_with_the_outcomes_of_the_last_build(connection):
    first = built(connection, GOOD)
    again = built(connection, [("never read", 1.0, "tree")])
    assert (again.is_skipped, again.rows) == (True, 2)
    assert set(again.outcomes) == set(first.outcomes)
    assert rows_of(connection) == GOOD


def test_changed_inputs_are_built_again(connection):
    built(connection, GOOD)
    result = built(connection, GOOD[:1], inputs="second")
    assert (result.is_skipped, rows_of(connection)) == (False, GOOD[:1])


def test_a_forced_build_is_not_skipped(connection):
    built(connection, GOOD)
    assert built(connection, GOOD[:1], force=True).rows == 1


def test_a_warning_does_not_stop_a_table(connection):
    result = built(connection, [("oak", 1.0, "moss")])
    (failed,) = [outcome for outcome in result.outcomes if not outcome.is_passed]
    assert (failed.severity, failed.failed_rows) == ("warning", 1)
    assert recorded(connection)[failed.check_name] is False


def test_a_critical_breach_keeps_the_old_rows_and_records_what_was_found(connection):
    built(connection, GOOD)
    with pytest.raises(ChecksFailedError, match=r"core\.sprout: check .*between\(height\) failed on 1 rows") as caught:
        built(connection, [("oak", -1.0, "tree")], inputs="second")
    assert "The table stays as it was" in str(caught.value)
    assert rows_of(connection) == GOOD
    assert recorded(connection)["column_values_to_be_between(height)"] is False
    assert connection.execute("select input_hash from meta.table_state").fetchall() != [("second",)]


def test_a_critical_breach_of_the_first_build_leaves_no_table(connection):
    with pytest.raises(ChecksFailedError):
        built(connection, [("oak", 1.0, "tree")] * 2)
    assert connection.execute("select table_name from duckdb_tables() where schema_name = 'core'").fetchall() == []
    assert connection.execute("from meta.table_state").fetchall() == []


def test_several_broken_checks_are_counted(connection):
    with pytest.raises(ChecksFailedError, match=r"and 1 more checks"):
        built(connection, [("oak", -1.0, "tree")] * 2)


def test_a_number_that_is_not_finite_is_critical(connection):
    with pytest.raises(ChecksFailedError):
        built(connection, [("oak", float("inf"), "tree"), ("elm", float("nan"), "tree")])
    assert recorded(connection)["numbers_are_finite"] is False


def test_a_null_that_the_table_itself_refuses_is_a_failed_check(connection):
    built(connection, GOOD)
    with pytest.raises(ChecksFailedError, match=r"core\.sprout: .*NOT NULL constraint failed"):
        built(connection, [(None, 1.0, "tree")], inputs="second")
    assert rows_of(connection) == GOOD


def test_inputs_that_go_back_to_the_good_ones_do_not_show_the_failure_in_between(connection):
    built(connection, GOOD)
    with pytest.raises(ChecksFailedError):
        built(connection, [("oak", -1.0, "tree")], inputs="second")
    restored = built(connection, GOOD)
    assert [outcome for outcome in restored.outcomes if not outcome.is_passed] == []
    assert all(recorded(connection).values())


def test_a_fill_that_raises_leaves_everything_as_it_was(connection):
    def fill(_connection, _table):
        raise RuntimeError("no rows today")

    first = built(connection, GOOD)
    with pytest.raises(RuntimeError):
        build_table(connection, TABLE, fill, inputs="second")
    assert rows_of(connection) == GOOD
    assert len(recorded(connection)) == len(first.outcomes)


def test_the_content_hash_does_not_depend_on_the_order_of_rows(connection):
    connection.execute("create table core.one as select i, i::varchar as t from range(1000) as r (i)")
    connection.execute("create table core.other as from core.one order by hash(i)")
    assert content_hash(connection, "core.one") == content_hash(connection, "core.other")


@pytest.mark.parametrize(
    "change",
    [
        "update core.one set t = 'x' where i = 7",
        "delete from core.one where i = 7",
        "insert into core.one from core.one where i = 7",
        "update core.one set t = null where i = 7",
        "update core.one set i = 8, t = '7' where i = 7",
    ],
)
def test_the_content_hash_sees_every_change(connection, change):
    connection.execute("create table core.one as select i, i::varchar as t from range(100) as r (i)")
    before = content_hash(connection, "core.one")
    connection.execute(change)
    assert content_hash(connection, "core.one") != before


def test_an_empty_table_has_a_content_hash(connection):
    connection.execute("create table core.one (i bigint)")
    assert content_hash(connection, "core.one") == "0:0"


def test_the_input_hash_follows_declaration_recipe_and_rows_read(connection):
    built(connection, GOOD)
    reader = Table("core", "reader", "One row per id.", (Column("id", "VARCHAR", "Id."),), ("id",), "operations")
    changed = Table("core", "reader", "One row per id.", (Column("id", "BIGINT", "Id."),), ("id",), "operations")
    hashes = {
        input_hash(connection, reader, "recipe", ["core.sprout"]),
        input_hash(connection, reader, "other recipe", ["core.sprout"]),
        input_hash(connection, changed, "recipe", ["core.sprout"]),
        input_hash(connection, reader, "recipe", []),
    }
    assert len(hashes) == 4
    assert input_hash(connection, reader, "recipe", ["core.sprout"]) in hashes
    built(connection, GOOD[:1], inputs="second")
    assert input_hash(connection, reader, "recipe", ["core.sprout"]) not in hashes


def test_the_same_rows_built_again_leave_readers_unchanged(connection):
    built(connection, GOOD)
    before = input_hash(connection, TABLE, "recipe", ["core.sprout"])
    built(connection, GOOD[::-1], inputs="second")
    assert input_hash(connection, TABLE, "recipe", ["core.sprout"]) == before


def test_reading_a_table_that_was_never_built_is_said(connection):
    with pytest.raises(FreefallError, match=r"core\.sprout: reads core\.seed, which has not been built"):
        input_hash(connection, TABLE, "recipe", ["core.seed"])


def select(text, tmp_path):
    return Select("core.sprout", tmp_path / "sprout.sql", text, "What it decides.", ())


def test_a_select_fills_its_table(connection, tmp_path):
    fill = fill_from_select(select("select 'oak' as sprout, 2.0::double as height, 'tree' as kind", tmp_path))
    assert build_table(connection, TABLE, fill, inputs="first").rows == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("select 'oak' as sprout, 2.0::double as height", "kind VARCHAR"),
        ("select 'oak' as sprout, 2 as height, 'tree' as kind", "height INTEGER"),
        ("select 2.0::double as height, 'oak' as sprout, 'tree' as kind", "the columns in another order"),
        ("select 'oak' as sprout, 2.0::double as height, 'tree' as kind, 1 as extra", "extra INTEGER"),
    ],
)
def test_a_select_with_other_columns_than_declared_is_refused(connection, tmp_path, text, named):
    with pytest.raises(FreefallError, match=r"sprout\.sql: yields") as caught:
        build_table(connection, TABLE, fill_from_select(select(text, tmp_path)), inputs="first")
    assert named in str(caught.value)


def test_a_frame_with_other_columns_than_declared_is_refused(connection):
    with pytest.raises(FreefallError, match=r"core\.sprout: expected columns"):
        build_table(connection, TABLE, fill_from_frame(frame(GOOD).drop("kind")), inputs="first")


def test_a_frames_columns_may_stand_in_any_order(connection):
    fill = fill_from_frame(frame(GOOD).select("kind", "height", "sprout"))
    build_table(connection, TABLE, fill, inputs="first")
    assert rows_of(connection) == GOOD


def test_a_query_of_sql_checks_runs_with_its_table(connection, monkeypatch, tmp_path):
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "no_moss.sql").write_text(
        "-- table: core.price_event\n-- severity: critical\n-- No moss.\n"
        "select sprout from core.sprout where kind = 'moss'\n"
    )
    monkeypatch.setattr(build.paths, "SQL", tmp_path)
    monkeypatch.setattr("pipelines.warehouse.sql.BY_NAME", {"core.price_event": TABLE})
    with pytest.raises(ChecksFailedError, match=r"check no_moss failed on 1 rows: sprout oak"):
        built(connection, [("oak", 1.0, "moss")])
    assert recorded(connection)["no_moss"] is False
