"""Expectation suites: a good table passes, and each kind of breach is found, named, graded and counted."""

from decimal import Decimal

import pandas as pd
import pytest

from pipelines.schema.catalog import TABLES
from pipelines.schema.expectations import suite, validate
from pipelines.schema.table import Column, Table

OFFER = Table(
    "mart",
    "offer_for_tests",
    "One row per offer.",
    (
        Column("listing_id", "VARCHAR", "Listing."),
        Column("mode", "VARCHAR", "Mode. NULL: any.", nullable=True, allowed=("base", "reasoning")),
        Column("usd_per_mtok", "DECIMAL(18,9)", "Price.", minimum=0, maximum=200),
        Column("score", "DOUBLE", "Score.", nullable=True, minimum=0, maximum=100, warn_only=True),
        Column("grade", "VARCHAR", "Grade.", allowed=("high", "low"), warn_only=True),
    ),
    ("listing_id", "mode"),
    "prices",
    minimum_rows=2,
)
SINGLE_KEY = Table(
    "mart", "single_key_for_tests", "One row per id.", (Column("id", "VARCHAR", "Id."),), ("id",), "prices"
)


def frame(**changed):
    columns = {
        "listing_id": ["a", "a", "b"],
        "mode": ["base", None, "base"],
        "usd_per_mtok": [Decimal(0), Decimal("0.15"), Decimal(200)],
        "score": [0.0, None, 100.0],
        "grade": ["high", "low", "high"],
    }
    return pd.DataFrame(columns | changed)


def failed(declared, rows):
    return [
        (outcome.check_name, outcome.severity, outcome.failed_rows)
        for outcome in validate(declared, rows)
        if not outcome.is_passed
    ]


def test_a_good_table_passes_every_expectation():
    outcomes = validate(OFFER, frame())
    assert [outcome for outcome in outcomes if not outcome.is_passed] == []
    assert len(outcomes) == 10
    assert {outcome.table_name for outcome in outcomes} == {"mart.offer_for_tests"}
    assert {outcome.detail for outcome in outcomes} == {None}


def test_a_null_where_none_may_be_is_critical():
    assert failed(OFFER, frame(listing_id=["a", None, None])) == [
        ("column_values_to_not_be_null(listing_id)", "critical", 2)
    ]


def test_an_amount_below_its_minimum_is_critical():
    assert failed(OFFER, frame(usd_per_mtok=[Decimal("-0.01"), Decimal(-2), Decimal(1)])) == [
        ("column_values_to_be_between(usd_per_mtok)", "critical", 2)
    ]


def test_an_amount_above_its_maximum_is_critical():
    (outcome,) = [
        o for o in validate(OFFER, frame(usd_per_mtok=[Decimal(1), Decimal(2), Decimal("200.01")])) if not o.is_passed
    ]
    assert (outcome.check_name, outcome.severity, outcome.failed_rows) == (
        "column_values_to_be_between(usd_per_mtok)",
        "critical",
        1,
    )
    assert "max_value 200" in outcome.detail
    assert "200.01" in outcome.detail


def test_a_text_outside_its_set_is_critical():
    assert failed(OFFER, frame(mode=["thinking", None, "base"])) == [
        ("column_values_to_be_in_set(mode)", "critical", 1)
    ]


def test_a_breach_of_a_soft_limit_is_a_warning():
    assert failed(OFFER, frame(score=[101.0, -1.0, None])) == [("column_values_to_be_between(score)", "warning", 2)]
    assert failed(OFFER, frame(grade=["high", "medium", "low"])) == [
        ("column_values_to_be_in_set(grade)", "warning", 1)
    ]


def test_a_repeated_key_is_critical():
    assert failed(OFFER, frame(listing_id=["a", "a", "a"])) == [
        ("compound_columns_to_be_unique(listing_id+mode)", "critical", 2)
    ]


def test_a_null_in_a_key_counts_as_a_value_like_any_other():
    assert failed(OFFER, frame(listing_id=["a", "a", "b"], mode=[None, None, "base"])) == [
        ("compound_columns_to_be_unique(listing_id+mode)", "critical", 2)
    ]


def test_a_repeated_single_key_is_critical():
    assert failed(SINGLE_KEY, pd.DataFrame({"id": ["a", "a", "b"]})) == [
        ("column_values_to_be_unique(id)", "critical", 2)
    ]


def test_too_few_rows_are_critical():
    assert failed(OFFER, frame().head(1)) == [("table_row_count_to_be_between(rows)", "critical", 1)]


def test_an_empty_table_fails_only_for_its_row_count():
    assert failed(OFFER, frame().head(0)) == [("table_row_count_to_be_between(rows)", "critical", 1)]


def test_a_missing_column_is_critical_and_nothing_raises():
    found = failed(OFFER, frame().drop(columns="score"))
    assert ("table_columns_to_match_ordered_list(listing_id+mode+usd_per_mtok+score+grade)", "critical", 1) in found
    assert "column_values_to_be_between(score)" in [name for name, _, _ in found]


def test_a_column_that_nobody_declared_is_critical():
    found = failed(OFFER, frame(surprise=[1, 2, 3]))
    assert [severity for _, severity, _ in found] == ["critical"]
    assert found[0][0].startswith("table_columns_to_match_ordered_list")


def test_several_breaches_are_all_found():
    rows = frame(
        listing_id=["a", None, "b"], usd_per_mtok=[Decimal(-1), Decimal(1), Decimal(1)], grade=["?", "low", "low"]
    )
    assert {(name.split("(")[1], severity) for name, severity, _ in failed(OFFER, rows)} == {
        ("listing_id)", "critical"),
        ("usd_per_mtok)", "critical"),
        ("grade)", "warning"),
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.qualified)
def test_every_declared_table_has_a_suite_that_guards_its_key_and_columns(table):
    kinds = [expectation.expectation_type for expectation in suite(table).expectations]
    assert "expect_table_columns_to_match_ordered_list" in kinds
    assert kinds.count("expect_column_values_to_be_unique") + kinds.count("expect_compound_columns_to_be_unique") == 1
    required = [column for column in table.columns if not column.nullable]
    assert kinds.count("expect_column_values_to_not_be_null") == len(required)
