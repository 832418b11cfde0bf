"""What a source is and the records that parsers yield."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Who publishes a source, and on which terms its facts are used.

    Attributes:
        producer: the publisher.
        title: what the publication is called.
        url: where it is published.
        licence: licence or terms.
        may_publish: False keeps its rows in the private warehouse.
    """

    producer: str
    title: str
    url: str
    licence: str
    may_publish: bool = True

    @property
    def attribution(self) -> str:
        """The line that stands under every chart which shows this source's data."""
        return f"{self.producer}, {self.title} ({self.licence})"


@dataclass(frozen=True)
class Snapshot:
    """The bytes of a payload at an instant.

    Attributes:
        payload: the bytes as published (or a package's content as canonical JSON).
        observed_at: UTC instant the payload shows.
        url: where it came from.
    """

    payload: bytes
    observed_at: datetime
    url: str


@dataclass(frozen=True)
class Fetched:
    """An answer to a poll.

    Attributes:
        payload: the decoded bytes, or None when the server says that nothing changed.
        etag: its ETag, for the next poll.
        last_modified: its Last-Modified, for the next poll.
    """

    payload: bytes | None
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """One metered price in a snapshot.

    Attributes:
        provider: who sells.
        source_model_id: the id as published.
        meter: what is counted.
        tier_min_tokens: input tokens of a request from which the price applies.
        usd_per_mtok: USD per million tokens; None for a meter that does not count tokens.
        unit: unit of amount_original.
        amount_original: the amount as printed.
        currency: ISO 4217 code of amount_original.
        effective_from: day the source dates the price from; None when it gives none.
        effective_to: day the source dates its end (exclusive); None when it gives none.
    """

    provider: str
    source_model_id: str
    meter: str
    tier_min_tokens: int
    usd_per_mtok: Decimal | None
    unit: str
    amount_original: str
    currency: str
    effective_from: date | None
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A value that a parser holds back, with the rule that held it.

    Attributes:
        place: where in the payload it stands.
        raw_text: the value as published.
        rule: short name of the rule.
        reason: what was expected.
    """

    place: str
    raw_text: str
    rule: str
    reason: str


@dataclass(frozen=True)
class PriceSource:
    """A publisher of price lists.

    Attributes:
        name: short name; also the raw table and the asset.
        origin: publisher and licence.
        parse: decoded payload and vintage -> quotes and what was held back; never fetches, sleeps or writes.
        decode: bytes -> payload; raises ValueError on anything malformed.
        embedded: the snapshot that ships with the installation, when there is one.
        live_url: where to poll; None for a source that is only embedded.
    """

    name: str
    origin: Origin
    parse: Callable[[Any, date], Iterator[Quote | Rejected]]
    decode: Callable[[bytes], Any]
    embedded: Callable[[], Snapshot] | None
    live_url: str | None


def utc_midnight(day: date) -> datetime:
    """Return the first instant of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
