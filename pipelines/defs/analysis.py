"""Assets of `mart` that estimators fill: thin shells over pipelines/analysis/tables.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import dagster as dg
import polars as pl

from pipelines.analysis import tables
from pipelines.config import CONFIDENCE_LEVEL
from pipelines.defs.factory import table_asset
from pipelines.defs.resources import Warehouse
from pipelines.schema import mart
from pipelines.schema.table import Table
from pipelines.warehouse.build import Built, Fill, code_hash, fill_from_frame, read_frames

Frames = Mapping[str, pl.DataFrame]


def _price_frontier(frames: Frames) -> pl.DataFrame:
    return tables.price_frontier_table(frames["mart.scored_offer"], frames["mart.threshold"])


def _decline_fit(frames: Frames) -> pl.DataFrame:
    last = frames["core.source"]["vintage_date"].max()
    return tables.decline_fit_table(
        frames["mart.price_observation"],
        frames["mart.price_frontier"],
        last=last,  # type: ignore[arg-type]
        level=CONFIDENCE_LEVEL,
    )


def _experience_fit(frames: Frames) -> pl.DataFrame:
    return tables.experience_fit_table(frames["core.experience_point"], level=CONFIDENCE_LEVEL)


def _capacity_coverage(frames: Frames) -> pl.DataFrame:
    return tables.capacity_coverage_table(
        frames["core.installed_base"], frames["core.serving_disclosure"], frames["core.population"]
    )


def _scale_payback(frames: Frames) -> pl.DataFrame:
    return tables.scale_payback_table(frames["core.company_financial"])


_FITTED: tuple[tuple[Table, tuple[str, ...], Callable[[Frames], pl.DataFrame]], ...] = (
    (mart.PRICE_FRONTIER, ("mart.scored_offer", "mart.threshold"), _price_frontier),
    (mart.DECLINE_FIT, ("core.source", "mart.price_frontier", "mart.price_observation"), _decline_fit),
    (mart.EXPERIENCE_FIT, ("core.experience_point",), _experience_fit),
    (
        mart.CAPACITY_COVERAGE,
        ("core.installed_base", "core.population", "core.serving_disclosure"),
        _capacity_coverage,
    ),
    (mart.SCALE_PAYBACK, ("core.company_financial",), _scale_payback),
)


def _fitted_asset(
    table: Table, reads: tuple[str, ...], compute: Callable[[Frames], pl.DataFrame]
) -> dg.AssetsDefinition:
    def build(warehouse: Warehouse) -> Built:
        def fill(connection: object, into: Table) -> None:  # noqa: ARG001 - computed only when something changed
            frame = compute(read_frames(warehouse.connection, reads))
            fill_from_frame(frame)(warehouse.connection, into)

        filled: Fill = fill
        return warehouse.build(table, filled, recipe=code_hash("analysis", "units.py", "config.py"), reads=reads)

    return table_asset(table, reads=reads, build=build, kinds={"polars"})


ASSETS: list[dg.AssetsDefinition] = [_fitted_asset(*fitted) for fitted in _FITTED]
