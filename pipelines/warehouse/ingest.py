"""From a source to its raw table: archive first, then parse; what cannot be used is quarantined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from pipelines.errors import FreefallError
from pipelines.schema import raw
from pipelines.sources.base import Fetched, PriceSource, Rejected
from pipelines.warehouse.archive import Archive
from pipelines.warehouse.connection import transaction


@dataclass(frozen=True)
class StoredSnapshot:
    """A payload in the archive.

    Attributes:
        sha256: its content.
        observed_at: UTC instant it shows.
        url: where it came from.
    """

    sha256: str
    observed_at: datetime
    url: str


def record_fetch(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    *,
    fetched_at: datetime,
    outcome: str,
    url: str,
    snapshot: StoredSnapshot | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    detail: str | None = None,
) -> None:
    """Add a row to the fetch log; a second attempt in the same microsecond replaces the first."""
    with transaction(connection):
        connection.execute("delete from meta.fetch where source = ? and fetched_at = ?", [source, _naive(fetched_at)])
        connection.execute(
            "insert into meta.fetch values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                source,
                _naive(fetched_at),
                outcome,
                snapshot.sha256 if snapshot else None,
                snapshot.observed_at.date() if snapshot else None,
                url,
                etag,
                last_modified,
                detail,
            ],
        )


def take_snapshots(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    source: PriceSource,
    *,
    fetch: Callable[[str, str | None, str | None], Fetched] | None,
    now: datetime,
) -> str | None:
    """Store the embedded snapshot and, when polling, the live one; a failed poll keeps the last good data.

    Args:
        connection: the warehouse, for the fetch log.
        archive: where payloads go before anything parses them.
        source: the price source.
        fetch: URL, ETag and Last-Modified -> answer; None does not poll.
        now: UTC instant of the poll.

    Returns:
        Why polling failed, or None.
    """
    if source.embedded is not None:
        snapshot = source.embedded()
        stored = StoredSnapshot(archive.put(snapshot.payload), snapshot.observed_at, snapshot.url)
        if stored.sha256 not in {known.sha256 for known in known_snapshots(connection, source.name)}:
            record_fetch(
                connection,
                source.name,
                fetched_at=snapshot.observed_at,
                outcome="new",
                url=snapshot.url,
                snapshot=stored,
            )
    if fetch is None or source.live_url is None:
        return None
    try:
        answer = fetch(source.live_url, *last_validators(connection, source.name))
        if answer.payload is None:
            record_fetch(
                connection,
                source.name,
                fetched_at=now,
                outcome="unchanged",
                url=source.live_url,
                etag=answer.etag,
                last_modified=answer.last_modified,
            )
            return None
        stored = StoredSnapshot(archive.put(answer.payload), now, source.live_url)
        # A payload that cannot be parsed is kept in the archive, and the last good one stays in use.
        for _ in source.parse(source.decode(answer.payload), now.date()):
            pass
    except (FreefallError, ValueError) as error:
        record_fetch(connection, source.name, fetched_at=now, outcome="failed", url=source.live_url, detail=str(error))
        return f"{source.name}: {error}"
    # A list may go back to former bytes: that is a snapshot too.
    earlier = [known.sha256 for known in known_snapshots(connection, source.name) if known.observed_at < now]
    is_new = earlier[-1:] != [stored.sha256]
    record_fetch(
        connection,
        source.name,
        fetched_at=now,
        outcome="new" if is_new else "unchanged",
        url=source.live_url,
        snapshot=stored,
        etag=answer.etag,
        last_modified=answer.last_modified,
    )
    return None


def known_snapshots(connection: duckdb.DuckDBPyConnection, source: str) -> list[StoredSnapshot]:
    """Return every payload received from a source that differs from the one before it, oldest first."""
    rows = connection.execute(
        """
        select snapshot_sha256, fetched_at, url
        from meta.fetch
        where source = ? and outcome = 'new'
        order by fetched_at
        """,
        [source],
    ).fetchall()
    return [StoredSnapshot(sha256, at.replace(tzinfo=UTC), url) for sha256, at, url in rows]


def last_validators(connection: duckdb.DuckDBPyConnection, source: str) -> tuple[str | None, str | None]:
    """Return ETag and Last-Modified of the newest live answer, for a conditional request."""
    rows = connection.execute(
        """
        select etag, last_modified
        from meta.fetch
        where source = ? and outcome <> 'failed' and (etag is not null or last_modified is not null)
        order by fetched_at desc
        limit 1
        """,
        [source],
    ).fetchall()
    return (rows[0][0], rows[0][1]) if rows else (None, None)


def replace_quarantine(
    connection: duckdb.DuckDBPyConnection, source: str, rows: Sequence[tuple[str, str, str, str, str]]
) -> None:
    """Replace what is held back from a source: rows of snapshot, place, raw text, rule, reason."""
    with transaction(connection):
        connection.execute("delete from meta.quarantine where source = ?", [source])
        for row in rows:
            connection.execute("insert into meta.quarantine values (?, ?, ?, ?, ?, ?)", [source, *row])


def parse_price_source(
    archive: Archive, snapshots: Sequence[StoredSnapshot], source: PriceSource
) -> tuple[pl.DataFrame, list[tuple[str, str, str, str, str]]]:
    """Parse every stored snapshot of a price source with today's parser.

    Args:
        archive: where the payloads are.
        snapshots: which ones, oldest first.
        source: the `PriceSource`.

    Returns:
        Rows of its raw table, and what is held back.

    Raises:
        FreefallError: when a payload is no longer of the expected shape, naming source and snapshot.
    """
    quotes: list[dict[str, Any]] = []
    held: list[tuple[str, str, str, str, str]] = []
    for snapshot in snapshots:
        try:
            payload = source.decode(archive.get(snapshot.sha256))
            for item in source.parse(payload, snapshot.observed_at.date()):
                if isinstance(item, Rejected):
                    held.append((snapshot.sha256, item.place, item.raw_text, item.rule, item.reason))
                else:
                    quotes.append(
                        {
                            "snapshot_sha256": snapshot.sha256,
                            "observed_at": _naive(snapshot.observed_at),
                            **{name: getattr(item, name) for name in item.__dataclass_fields__},
                        }
                    )
        except ValueError as error:
            raise FreefallError(f"{source.name}: snapshot {snapshot.sha256[:12]}: {error}") from error
    return pl.DataFrame(quotes, schema=raw.GENAI_PRICES.frame_schema, orient="row"), list(dict.fromkeys(held))


def _naive(instant: datetime) -> datetime:
    """Return a UTC instant without its zone, as TIMESTAMP columns hold it."""
    return instant.astimezone(UTC).replace(tzinfo=None)
