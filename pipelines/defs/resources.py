"""The warehouse as a Dagster resource, and how a run says what it does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from pipelines.config import Config
from pipelines.errors import FreefallError, WarehouseBusyError
from pipelines.schema.table import Table
from pipelines.warehouse.archive import Archive
from pipelines.warehouse.build import Built, Fill, build_table, input_hash
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.progress import PROGRESS, inputs_hash


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The one writing connection of a run; opened when the run starts, closed when it ends."""

    _config: Config = PrivateAttr()
    _connection: duckdb.DuckDBPyConnection = PrivateAttr()

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:  # noqa: ARG002
        """Open the warehouse for the length of a run."""
        self._config = Config.from_environment()
        PROGRESS.restart(inputs_hash())
        try:
            with open_warehouse(self._config.home) as connection:
                self._connection = connection
                # A kill from here on must not leave the record of the run before.
                self._write_record(has_ended=False)
                yield self
        except WarehouseBusyError as error:
            # The record of the last run belongs to the run that is writing.
            PROGRESS.failures.append(str(error))
            raise
        except FreefallError as error:
            PROGRESS.failures.append(str(error))
            self._write_record(has_ended=True)
            raise
        else:
            self._write_record(has_ended=True)

    def _write_record(self, *, has_ended: bool) -> None:
        # Status is a convenience: that it cannot be written must not hide what happened.
        with contextlib.suppress(OSError):
            self._config.home.last_run.write_text(
                PROGRESS.as_json(datetime.now(UTC), has_ended=has_ended), encoding="utf-8"
            )

    @property
    def config(self) -> Config:
        """The run's configuration."""
        return self._config

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The writing connection."""
        return self._connection

    @property
    def archive(self) -> Archive:
        """The payload archive."""
        return Archive(self._config.home.archive)

    def build(self, table: Table, fill: Fill, *, recipe: str, reads: Sequence[str] = ()) -> Built:
        """Build one table unless nothing it is made from has changed."""
        inputs = input_hash(self._connection, table, recipe, reads)
        built = build_table(self._connection, table, fill, inputs=inputs)
        PROGRESS.built.append(built)
        PROGRESS.step(table.qualified, built.seconds, "unchanged" if built.is_skipped else f"{built.rows:,} rows")
        return built
