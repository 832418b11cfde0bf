"""Assets of `raw`: one per price source and one per curated file, driven by the registries."""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import polars as pl

from pipelines import paths
from pipelines.defs.factory import table_asset
from pipelines.defs.resources import Warehouse
from pipelines.errors import FreefallError
from pipelines.schema import raw
from pipelines.schema.catalog import table as declared
from pipelines.schema.table import CheckOutcome, Table
from pipelines.sources.base import Fetched, PriceSource
from pipelines.sources.genai_prices import parse_providers
from pipelines.sources.http import fetch as http_fetch
from pipelines.sources.reference import read_reference, reference_path
from pipelines.sources.registry import PRICE_SOURCES
from pipelines.warehouse.build import Built, code_hash, fill_from_frame
from pipelines.warehouse.ingest import known_snapshots, parse_price_source, replace_quarantine, take_snapshots
from pipelines.warehouse.progress import PROGRESS

_POLLED = "polled"


def _price_source_asset(source: PriceSource) -> dg.AssetsDefinition:
    table = declared(f"raw.{source.name}")

    def build(warehouse: Warehouse) -> Built:
        def fetch(url: str, etag: str | None, last_modified: str | None) -> Fetched:
            return http_fetch(url, contact=warehouse.config.contact, etag=etag, last_modified=last_modified)

        failure = take_snapshots(
            warehouse.connection,
            warehouse.archive,
            source,
            fetch=fetch if warehouse.config.is_live else None,
            now=datetime.now(UTC),
        )
        snapshots = known_snapshots(warehouse.connection, source.name)
        recipe = code_hash("sources") + ",".join(snapshot.sha256 for snapshot in snapshots)

        def fill(connection: Any, into: Table) -> None:
            quotes, held = parse_price_source(warehouse.archive, snapshots, source)
            held_back.extend(held)
            fill_from_frame(quotes)(connection, into)

        held_back: list[tuple[str, str, str, str, str]] = []
        built = warehouse.build(table, fill, recipe=recipe)
        if not built.is_skipped:
            replace_quarantine(warehouse.connection, source.name, held_back)
        if failure is not None:
            # The last good data has been kept, so the run goes on; the asset is red so that somebody looks.
            PROGRESS.failures.append(failure)
        polled = CheckOutcome(
            table.qualified,
            _POLLED,
            "warning",
            is_passed=failure is None,
            failed_rows=0 if failure is None else 1,
            detail=failure,
        )
        return dataclasses.replace(built, outcomes=(*built.outcomes, polled))

    return table_asset(
        table,
        reads=(),
        build=build,
        kinds={"python"},
        other_checks={_POLLED: "The live source answered with a payload that parses, or was not asked."},
    )


def _provider_asset() -> dg.AssetsDefinition:
    (source,) = PRICE_SOURCES

    def build(warehouse: Warehouse) -> Built:
        newest = known_snapshots(warehouse.connection, source.name)[-1]
        rows = list(parse_providers(source.decode(warehouse.archive.get(newest.sha256))))
        frame = pl.DataFrame(rows, schema=raw.GENAI_PRICES_PROVIDER.frame_schema, orient="row")
        return warehouse.build(
            raw.GENAI_PRICES_PROVIDER,
            fill_from_frame(frame),
            recipe=code_hash("sources") + newest.sha256,
            reads=(raw.GENAI_PRICES.qualified,),
        )

    return table_asset(raw.GENAI_PRICES_PROVIDER, reads=(raw.GENAI_PRICES.qualified,), build=build, kinds={"python"})


def _reference_asset(table: Table) -> dg.AssetsDefinition:
    def build(warehouse: Warehouse) -> Built:
        reference = read_reference(reference_path(paths.REFERENCE, table), table)
        return warehouse.build(table, fill_from_frame(reference.frame), recipe=reference.sha256)

    return table_asset(table, reads=(), build=build, kinds={"csv"})


def _reference_file_asset() -> dg.AssetsDefinition:
    def build(warehouse: Warehouse) -> Built:
        rows = []
        for table in raw.REFERENCE:
            path = reference_path(paths.REFERENCE, table)
            reference = read_reference(path, table)
            warehouse.archive.put(path.read_bytes())
            rows.append((table.name, reference.sha256, reference.vintage))
        frame = pl.DataFrame(rows, schema=raw.REFERENCE_FILE.frame_schema, orient="row")
        return warehouse.build(
            raw.REFERENCE_FILE, fill_from_frame(frame), recipe=",".join(sha256 for _, sha256, _ in rows)
        )

    return table_asset(raw.REFERENCE_FILE, reads=(), build=build, kinds={"csv"})


def read_claims() -> pl.DataFrame:
    """Return raw.claim from dashboards/claims.toml.

    Raises:
        FreefallError: when the file is malformed or a claim has other fields than declared.
    """
    path = paths.DASHBOARDS / "claims.toml"
    try:
        claims = tomllib.loads(path.read_text(encoding="utf-8"))["claim"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise FreefallError(f"{path}: expected [[claim]] entries ({error})") from error
    allowed = set(raw.CLAIM.column_names) - {"ordinal"}
    for number, claim in enumerate(claims, 1):
        unknown = set(claim) - allowed
        if unknown or "claim_id" not in claim:
            raise FreefallError(f"{path}: claim {number}: unknown fields {sorted(unknown)}; expected {sorted(allowed)}")
    rows = [
        {name: claim.get(name) for name in raw.CLAIM.column_names} | {"ordinal": number}
        for number, claim in enumerate(claims, 1)
    ]
    return pl.DataFrame(rows, schema=raw.CLAIM.frame_schema, orient="row")


def _claim_asset() -> dg.AssetsDefinition:
    def build(warehouse: Warehouse) -> Built:
        encoded = (paths.DASHBOARDS / "claims.toml").read_bytes()
        return warehouse.build(raw.CLAIM, fill_from_frame(read_claims()), recipe=hashlib.sha256(encoded).hexdigest())

    return table_asset(raw.CLAIM, reads=(), build=build, kinds={"toml"})


ASSETS: list[dg.AssetsDefinition] = [
    *(_price_source_asset(source) for source in PRICE_SOURCES),
    _provider_asset(),
    _reference_file_asset(),
    *(_reference_asset(table) for table in raw.REFERENCE),
    _claim_asset(),
]
