"""How a declared table becomes an asset: key, columns, checks, metadata; the same for every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import dagster as dg

from pipelines import paths
from pipelines.config import SCHEDULE_CRON, SCHEDULE_TIMEZONE
from pipelines.defs.resources import Warehouse
from pipelines.errors import FreefallError
from pipelines.schema.table import CheckOutcome, Table
from pipelines.warehouse.build import Built
from pipelines.warehouse.progress import PROGRESS
from pipelines.warehouse.sql import checks

OWNERS = ["team:freefall"]
RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
_SUITE = "expectations"


def freshness() -> dg.FreshnessPolicy:
    """Return the policy of a daily table: fresh when the day's run has rebuilt or confirmed it."""
    return dg.FreshnessPolicy.cron(
        deadline_cron=SCHEDULE_CRON.replace("0 6", "0 8"),
        lower_bound_delta=timedelta(hours=12),
        timezone=SCHEDULE_TIMEZONE,
    )


def asset_key(qualified: str) -> dg.AssetKey:
    """Return the asset key of a table: `core.price_event` is `core/price_event`."""
    return dg.AssetKey(qualified.split("."))


def _column_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.sql_type,
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def table_asset(
    table: Table,
    *,
    reads: Sequence[str],
    build: Callable[[Warehouse], Built],
    kinds: set[str],
    other_checks: Mapping[str, str] = MappingProxyType({}),
) -> dg.AssetsDefinition:
    """Return the asset of a table: it builds, and reports what the checks found.

    Args:
        table: the declaration.
        reads: qualified tables it is made from.
        build: builds it; the function the tests call.
        kinds: what it is made of, beside duckdb.
        other_checks: name and description of further checks that `build` reports; they never block.
    """
    queries = [check for check in checks(paths.SQL) if check.table == table]
    named = [*(check.select.name for check in queries), *other_checks]

    @dg.asset(
        key=asset_key(table.qualified),
        deps=[asset_key(name) for name in reads],
        group_name=table.schema,
        kinds={"duckdb", *kinds},
        owners=OWNERS,
        tags={"topic": table.group},
        description=table.comment,
        metadata={"dagster/column_schema": _column_schema(table), "dagster/table_name": table.qualified},
        retry_policy=RETRIES,
        freshness_policy=freshness(),
        check_specs=[
            dg.AssetCheckSpec(
                _SUITE,
                asset=asset_key(table.qualified),
                description="Great Expectations suite derived from the declaration; a critical breach blocks.",
                blocking=True,
            ),
            *(
                dg.AssetCheckSpec(
                    check.select.name,
                    asset=asset_key(table.qualified),
                    description=check.select.comment,
                    blocking=check.severity == "critical",
                )
                for check in queries
            ),
            *(
                dg.AssetCheckSpec(name, asset=asset_key(table.qualified), description=text)
                for name, text in other_checks.items()
            ),
        ],
    )
    def built_table(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            built = build(warehouse)
        except FreefallError as error:
            # A second try would find the same rows; the message is for people, not the traceback.
            PROGRESS.failures.append(str(error))
            raise dg.Failure(str(error), allow_retries=False) from error
        except Exception as error:
            PROGRESS.failures.append(f"{table.qualified}: {type(error).__name__}: {error}")
            raise
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": built.rows,
                "seconds": built.seconds,
                "unchanged": built.is_skipped,
            },
            check_results=[
                _check_result(_SUITE, [outcome for outcome in built.outcomes if outcome.check_name not in named]),
                *(
                    _check_result(name, [outcome for outcome in built.outcomes if outcome.check_name == name])
                    for name in named
                ),
            ],
        )

    return built_table


def _check_result(name: str, outcomes: Iterable[CheckOutcome]) -> dg.AssetCheckResult:
    failed = [outcome for outcome in outcomes if not outcome.is_passed]
    is_critical = any(outcome.severity == "critical" for outcome in failed)
    return dg.AssetCheckResult(
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_critical else dg.AssetCheckSeverity.WARN,
        metadata={outcome.check_name: outcome.detail or "" for outcome in failed},
    )
