"""Declared tables: what a declaration refuses, the DDL it gives, and the frame that fits it."""

from datetime import date, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from pipelines import paths
from pipelines.schema import raw
from pipelines.schema.catalog import BY_NAME, PUBLISHED, TABLES, table
from pipelines.schema.ddl import create_schemas, create_table
from pipelines.schema.table import Column, Table
from pipelines.warehouse.sql import table_selects

ID = Column("id", "VARCHAR", "Key.")
EVERY_TYPE = Table(
    "core",
    "every_type",
    "One row per it's own id.",
    (
        ID,
        Column("is_open", "BOOLEAN", "Flag.", nullable=True),
        Column("row_count", "BIGINT", "Count.", nullable=True),
        Column("score", "DOUBLE", "Score.", nullable=True),
        Column("usd_per_mtok", "DECIMAL(18,9)", "Price.", nullable=True),
        Column("date", "DATE", "Day.", nullable=True),
        Column("built_at", "TIMESTAMP", "Instant.", nullable=True),
    ),
    ("id",),
    "operations",
)


def test_a_table_refuses_a_repeated_column():
    with pytest.raises(ValueError, match=r"core\.twice: repeated columns \['id'\]"):
        Table("core", "twice", "One row per id.", (ID, ID), ("id",), "operations")


def test_a_table_refuses_a_key_that_is_no_column():
    with pytest.raises(ValueError, match=r"key columns not declared \['other'\]"):
        Table("core", "keyless", "One row per id.", (ID,), ("other",), "operations")


def test_a_changed_column_leaves_the_shared_one_alone():
    changed = ID.but(nullable=True)
    assert (changed.nullable, ID.nullable, changed.name) == (True, False, "id")


def test_an_unknown_table_is_refused_with_near_names():
    with pytest.raises(KeyError, match=r"core\.price_event"):
        table("mart.price_event")


@pytest.mark.parametrize("declared", TABLES, ids=lambda declared: declared.qualified)
def test_a_declaration_follows_the_house_style(declared):
    assert declared.comment.startswith("One row per ")
    assert declared.key
    for column in declared.columns:
        assert column.name == column.name.lower()
        assert column.comment.endswith((".", ")"))
        assert column.polars_type is not None
        assert column.minimum is None or column.maximum is None or column.minimum <= column.maximum


def test_every_table_is_declared_once():
    assert len(BY_NAME) == len(TABLES)


def test_raw_tables_and_steps_are_not_published():
    assert {declared.schema for declared in PUBLISHED} == {"core", "mart", "meta"}
    assert all(declared.is_published for declared in PUBLISHED)
    assert "core.quoted_price_interval" not in {declared.qualified for declared in PUBLISHED}


def test_every_table_and_column_carries_its_comment(empty_database):
    tables = dict(
        empty_database.execute("select schema_name || '.' || table_name, comment from duckdb_tables()").fetchall()
    )
    columns = {
        (name, column): comment
        for name, column, comment in empty_database.execute(
            "select schema_name || '.' || table_name, column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
    }
    assert tables == {declared.qualified: declared.comment for declared in TABLES}
    assert columns == {
        (declared.qualified, column.name): column.comment for declared in TABLES for column in declared.columns
    }


@pytest.mark.parametrize("declared", TABLES, ids=lambda declared: declared.qualified)
def test_describe_equals_the_declaration(empty_database, declared):
    described = empty_database.execute(f"describe {declared.qualified}").fetchall()
    assert [(name, kind, null == "YES") for name, kind, null, *_ in described] == [
        (column.name, column.sql_type, column.nullable) for column in declared.columns
    ]


@pytest.mark.parametrize("declared", TABLES, ids=lambda declared: declared.qualified)
def test_the_frame_schema_is_what_duckdb_gives_and_takes(empty_database, declared):
    assert empty_database.sql(f"from {declared.qualified}").pl().schema == pl.Schema(declared.frame_schema)
    frame = pl.DataFrame(schema=declared.frame_schema)
    empty_database.register("frame", frame)
    described = empty_database.execute("describe from frame").fetchall()
    empty_database.unregister("frame")
    assert [(name, kind) for name, kind, *_ in described] == [
        (column.name, column.sql_type) for column in declared.columns
    ]


def test_rows_come_back_from_duckdb_as_they_went_in():
    frame = pl.DataFrame(
        [
            ("a", True, 2**53 + 1, 0.1, Decimal("0.000000001"), date(2026, 1, 1), datetime(2026, 1, 1, 12, 30, 0, 5)),  # noqa: DTZ001
            ("b", None, None, None, None, None, None),
        ],
        schema=EVERY_TYPE.frame_schema,
        orient="row",
    )
    with duckdb.connect() as connection:
        for statement in (*create_schemas(), *create_table(EVERY_TYPE)):
            connection.execute(statement)
        connection.register("frame", frame)
        connection.execute("insert into core.every_type from frame")
        assert connection.sql("from core.every_type order by id").pl().equals(frame)


def test_a_column_that_may_not_be_null_refuses_null(empty_database):
    declared = next(one for one in TABLES if one.qualified == "core.provider")
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
        empty_database.execute(f"insert into {declared.qualified} (display_name) values ('nobody')")


def test_creating_a_table_again_empties_it():
    with duckdb.connect() as connection:
        for statement in (*create_schemas(), *create_table(EVERY_TYPE)):
            connection.execute(statement)
        connection.execute("insert into core.every_type (id) values ('a')")
        for statement in create_table(EVERY_TYPE):
            connection.execute(statement)
        assert connection.execute("select count(*) from core.every_type").fetchall() == [(0,)]


@pytest.mark.parametrize("name", sorted(table_selects(paths.SQL)))
def test_a_select_yields_the_declared_columns(empty_database, name):
    described = empty_database.execute(f"describe {table_selects(paths.SQL)[name].text}").fetchall()
    assert [(column, kind) for column, kind, *_ in described] == [
        (column.name, column.sql_type) for column in BY_NAME[name].columns
    ]


def test_a_reference_table_in_raw_has_the_columns_of_its_core_table():
    declared = next(one for one in raw.REFERENCE if one.name == "benchmark")
    assert declared.qualified == "raw.benchmark"
    assert declared.columns == BY_NAME["core.benchmark"].columns
    assert declared.comment.startswith("One row per ")
