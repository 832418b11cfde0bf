"""Fixtures that several folders of tests share: an empty database, and a small published one."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import __version__
from pipelines.paths import Home
from pipelines.schema import core, mart, meta
from pipelines.schema.catalog import SCHEMA_VERSION, TABLES
from pipelines.schema.ddl import create_schemas, create_table
from pipelines.schema.table import Table
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.publish import publish

_EXAMPLE: dict[str, Any] = {
    "VARCHAR": "text",
    "BOOLEAN": True,
    "BIGINT": 1,
    "DOUBLE": 1.0,
    "DATE": date(2026, 1, 1),
    "TIMESTAMP": datetime(2026, 1, 1),  # noqa: DTZ001 - TIMESTAMP columns hold UTC without a zone
    "DECIMAL": Decimal(1),
}


def _example_row(table: Table, **given: Any) -> dict[str, Any]:
    """Return a row that the declaration allows: the given values, else NULL or the smallest valid one."""
    unknown = set(given) - set(table.column_names)
    assert not unknown, f"{table.qualified} has no columns {sorted(unknown)}"
    row = {}
    for column in table.columns:
        if column.nullable:
            example = None
        elif column.allowed:
            example = column.allowed[0]
        else:
            example = _EXAMPLE[column.sql_type.split("(")[0]]
            if column.minimum is not None and example < column.minimum:
                example = int(column.minimum)
        row[column.name] = given.get(column.name, example)
    return row


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, *rows: Mapping[str, Any]) -> None:
    """Insert rows, each completed by `_example_row`."""
    cells = [list(_example_row(table, **row).values()) for row in rows]
    if cells:
        marks = ", ".join("?" for _ in table.columns)
        connection.executemany(f"insert into {table.qualified} values ({marks})", cells)


def _create_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every declared table, empty."""
    for statement in create_schemas():
        connection.execute(statement)
    for table in TABLES:
        for statement in create_table(table):
            connection.execute(statement)


@pytest.fixture(scope="session")
def _declared_database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        _create_all(connection)
        yield connection


@pytest.fixture
def empty_database(_declared_database: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an in-memory database with every declared table, empty; what a test writes is rolled back."""
    _declared_database.execute("begin")
    yield _declared_database
    _declared_database.execute("rollback")


def _fill_small_warehouse(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table and give it the few rows that the tests of publication and command ask about."""
    _create_all(connection)
    _insert(
        connection,
        core.SOURCE,
        {"source": "genai_prices", "vintage_date": date(2026, 11, 9), "licence": "MIT"},
        {"source": "private_list", "vintage_date": date(2026, 11, 8), "may_publish": False},
    )
    _insert(connection, core.AI_MODEL, {"ai_model_id": "sprout-1"}, {"ai_model_id": "willow-2"})
    _insert(
        connection,
        core.LISTING,
        *(
            {
                "listing_id": f"{provider}/{listed}",
                "provider": provider,
                "source_model_id": listed,
                "ai_model_id": "sprout-1",
                "family": "sprout",
            }
            for provider, listed in (("grove", "sprout-1-20250601"), ("nursery", "Sprout-One"))
        ),
    )
    standard = {
        "ai_model_id": "sprout-1",
        "tier_min_tokens": 0,
        "known_from": datetime(2026, 11, 9),  # noqa: DTZ001
        "valid_from": date(2025, 6, 1),
        "date_kind": "launch",
    }
    for source, provider, listed, meter, amount, valid_from, valid_to in (
        ("genai_prices", "grove", "sprout-1-20250601", "input", "2.5", date(2025, 6, 1), date(2026, 1, 1)),
        ("genai_prices", "grove", "sprout-1-20250601", "input", "1.25", date(2026, 1, 1), None),
        ("genai_prices", "grove", "sprout-1-20250601", "output", "10", date(2025, 6, 1), None),
        ("genai_prices", "nursery", "Sprout-One", "input", "0.1", date(2025, 8, 1), None),
        ("genai_prices", "nursery", "Sprout-One", "output", "0.4", date(2025, 8, 1), None),
        ("private_list", "grove", "sprout-1-20250601", "input", "9", date(2025, 6, 1), None),
    ):
        _insert(
            connection,
            core.PRICE_EVENT,
            standard
            | {
                "source": source,
                "provider": provider,
                "listing_id": f"{provider}/{listed}",
                "meter": meter,
                "usd_per_mtok": Decimal(amount),
                "amount_original": amount,
                "valid_from": valid_from,
                "valid_to": valid_to,
            },
        )
    _insert(connection, mart.CLAIM_VERDICT, {})
    _insert(
        connection,
        meta.VINTAGE,
        {
            "vintage_id": "0123456789abcdef",
            "code_version": __version__,
            "schema_version": SCHEMA_VERSION,
            "newest_fact_date": date(2026, 11, 9),
            "source_hashes": "{}",
            "row_counts": json.dumps({"core.price_event": 6, "core.source": 2}),
        },
    )
    _insert(
        connection,
        meta.CHECK_RESULT,
        {"table_name": "core.price_event", "check_name": "held"},
        {
            "table_name": "core.price_event",
            "check_name": "output_below_input",
            "severity": "warning",
            "is_passed": False,
        },
    )


@pytest.fixture(scope="session")
def insert() -> Callable[..., None]:
    """Give `insert(connection, table, *rows)`; what a row leaves out is NULL or the smallest valid value."""
    return _insert


@pytest.fixture(scope="session")
def fill_small_warehouse() -> Callable[[duckdb.DuckDBPyConnection], None]:
    """Give the function that makes every table and a few rows."""
    return _fill_small_warehouse


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a home with a small published database, made without Dagster; tests only read it."""
    home = Home(Path(tmp_path_factory.mktemp("home")))
    with open_warehouse(home) as connection:
        _fill_small_warehouse(connection)
        publish(connection, home)
    return home
