"""Great Expectations suites, derived from the declarations; the only importer of gx and pandas."""

from __future__ import annotations

import functools
import math
import warnings
from typing import TYPE_CHECKING, Any, Literal

from pipelines.schema.table import CheckOutcome, Column, Table

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_ROWS = 5
_NUMERIC = ("BIGINT", "DOUBLE", "DECIMAL", "INTEGER")


@functools.cache
def _context() -> Any:
    with warnings.catch_warnings():
        # Great Expectations imports modules that Python 3.11 deprecates.
        warnings.filterwarnings("ignore", message="module 'sre_", category=DeprecationWarning)
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _column_expectations(column: Column) -> list[Any]:
    import great_expectations.expectations as gxe

    expectations: list[Any] = []
    severity = "warning" if column.warn_only else "critical"
    if not column.nullable:
        expectations.append(gxe.ExpectColumnValuesToNotBeNull(column=column.name, severity="critical"))
    if column.allowed:
        expectations.append(
            gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.allowed), severity=severity)
        )
    if column.sql_type.startswith(_NUMERIC) and (column.minimum is not None or column.maximum is not None):
        expectations.append(
            gxe.ExpectColumnValuesToBeBetween(
                column=column.name, min_value=column.minimum, max_value=column.maximum, severity=severity
            )
        )
    return expectations


@functools.cache
def suite(table: Table) -> Any:
    """Return the expectation suite of a table: columns, row count, key, nulls, ranges and value sets."""
    context = _context()
    import great_expectations as gx
    import great_expectations.expectations as gxe

    if len(table.key) == 1:
        key: Any = gxe.ExpectColumnValuesToBeUnique(column=table.key[0], severity="critical")
    else:
        # A NULL is a value of the key like any other, so no row is left out.
        key = gxe.ExpectCompoundColumnsToBeUnique(
            column_list=list(table.key), ignore_row_if="never", severity="critical"
        )
    expectations = [
        gxe.ExpectTableColumnsToMatchOrderedList(column_list=list(table.column_names), severity="critical"),
        gxe.ExpectTableRowCountToBeBetween(min_value=table.minimum_rows, severity="critical"),
        key,
        *(expectation for column in table.columns for expectation in _column_expectations(column)),
    ]
    return context.suites.add(gx.ExpectationSuite(name=table.qualified, expectations=expectations))


@functools.cache
def _batch_definition() -> Any:
    asset = _context().data_sources.add_pandas("warehouse").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("whole")


def validate(table: Table, frame: pd.DataFrame) -> list[CheckOutcome]:
    """Validate a table's rows against its suite; one outcome per expectation.

    Args:
        table: the declaration.
        frame: all rows of the table, columns in any order.

    Returns:
        Outcomes in the suite's order; a check that could not be evaluated counts as failed.
    """
    definition = suite(table)
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
    # A verdict alone takes half the time; the rows that break it are looked up only when there are some.
    result = batch.validate(definition, result_format="BOOLEAN_ONLY")
    if not result.success:
        result = batch.validate(definition, result_format="SUMMARY")
    return [_outcome(table, item) for item in result.results]


def _outcome(table: Table, item: Any) -> CheckOutcome:
    configuration = item.expectation_config
    arguments = {
        name: argument
        for name, argument in configuration.kwargs.items()
        if name in ("column", "column_list", "min_value", "max_value", "value_set")
    }
    where = arguments.pop("column", None) or "+".join(arguments.pop("column_list", [])) or "rows"
    name = f"{configuration.type.removeprefix('expect_')}({where})"
    severity: Literal["critical", "warning"] = (
        "warning" if str(getattr(configuration.severity, "value", configuration.severity)) == "warning" else "critical"
    )
    if item.success:
        return CheckOutcome(table.qualified, name, severity, is_passed=True, failed_rows=0, detail=None)
    result = item.result
    expected = ", ".join(f"{key} {argument}" for key, argument in arguments.items())
    seen = result.get("partial_unexpected_list") or result.get("observed_value") or "could not be evaluated"
    if isinstance(seen, list):
        seen = seen[:_SHOWN_ROWS]
    failed = result.get("unexpected_count", 1)
    return CheckOutcome(
        table.qualified,
        name,
        severity,
        is_passed=False,
        failed_rows=1 if failed is None or math.isnan(failed) else int(failed),
        detail=f"expected {expected or name}; found {seen}",
    )
