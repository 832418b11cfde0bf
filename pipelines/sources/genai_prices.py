"""List prices kept by Pydantic in genai-prices: the package's embedded copy, and the live file.

Grain: provider x model x variant x period x meter x context tier.
Unit in payload: USD per million tokens for keys in `_mtok`; other keys name their unit
(`_kcount` per thousand, `_hours` per hour, ...). Numbers are printed decimals and are kept exactly.
Coverage: 47 providers in package 0.2.3, resellers beside first parties; no prices before 2025 are dated.
Known gaps: the first price of a dated list has an end but no start. A price by time of day carries no
date, so it is stated for the period in force only. The live file has no price variants.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.errors import FreefallError
from pipelines.sources.base import Origin, PriceSource, Quote, Rejected, Snapshot, utc_midnight
from pipelines.units import HOURS_PER_DAY, SECONDS_PER_HOUR

# The newest price in force of each known package version. Later start dates are announcements, and
# prices without a date were observed on this day. A release must be looked at before it is added.
PACKAGE_VINTAGES: Mapping[str, date] = {"0.2.3": date(2026, 11, 9)}

ORIGIN = Origin(
    producer="Pydantic",
    title="genai-prices",
    url="https://github.com/pydantic/genai-prices",
    licence="MIT",
)

# Suffix of a price key -> unit of its amount. Only the first counts tokens.
_MTOK = "_mtok"
_UNITS: Mapping[str, str] = {
    _MTOK: "USD per million tokens",
    "_kcount": "USD per thousand",
    "_hours": "USD per hour",
    "_kpages": "USD per thousand pages",
    "_mchars": "USD per million characters",
    "_gpixels": "USD per billion pixels",
}

# Beyond these a standard price is a unit slip, not a market price (USD per million tokens).
_LIMITS: Mapping[str, Decimal] = {"input": Decimal(200), "output": Decimal(700)}
_LARGEST_STORED = Decimal(10) ** 9  # DECIMAL(18,9)
_DECIMALS_STORED = 9

# Request contexts whose value alone names the meter's prefix.
_TIER_CONTEXTS = ("processing", "service_tier", "speed")


@dataclasses.dataclass(frozen=True)
class _Segment:
    """Prices of one variant over a period: half-open, None is unknown (from) or open (to)."""

    starts: date | None
    ends: date | None
    prices: Mapping[str, Any]


def embedded() -> Snapshot:
    """Return the prices inside the installed `genai-prices` package as canonical JSON.

    Raises:
        FreefallError: when the package is missing, or its version has no recorded vintage.
    """
    try:
        import genai_prices
        from genai_prices.data import providers
    except ImportError as error:
        raise FreefallError(
            "genai_prices: the embedded price list is missing; install the package `genai-prices` (`make setup` does)"
        ) from error
    version = genai_prices.__version__
    if version not in PACKAGE_VINTAGES:
        raise FreefallError(
            f"genai_prices: package version {version} has no recorded vintage; add it to PACKAGE_VINTAGES in "
            f"pipelines/sources/genai_prices.py (known: {', '.join(PACKAGE_VINTAGES)})"
        )
    payload = [_plain_provider(provider) for provider in providers]
    encoded = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    return Snapshot(encoded, utc_midnight(PACKAGE_VINTAGES[version]), f"python package genai-prices {version}")


def _plain_provider(provider: Any) -> dict[str, Any]:
    return {
        "id": provider.id,
        "name": provider.name,
        "pricing_urls": provider.pricing_urls,
        "models": [
            {
                "id": listing.id,
                "prices": _plain(listing.prices),
                "price_variants": _plain(getattr(listing, "price_variants", None) or []),
            }
            for listing in provider.models
        ],
    }


def _plain(item: Any) -> Any:
    """Turn the package's objects into what the live file holds; amounts become their printed decimals."""
    if isinstance(item, Decimal):
        return str(item)
    if isinstance(item, (date, time)):
        return item.isoformat()
    if isinstance(item, (list, tuple)):
        return [_plain(entry) for entry in item]
    if isinstance(item, dict):
        return {name: _plain(entry) for name, entry in item.items()}
    if hasattr(item, "__dict__"):
        return {
            name: _plain(entry) for name, entry in vars(item).items() if entry is not None and not name.startswith("_")
        }
    return item


def decode(encoded: bytes) -> Any:
    """Decode a payload; numbers keep their printed decimals, a repeated key is an error.

    Raises:
        ValueError: when the bytes are not JSON, nest too deep, or an object repeats a key.
    """
    try:
        return json.loads(encoded, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=_unique_keys)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"repeated keys {sorted({name for name in names if names.count(name) > 1})}")
    return decoded


def parse(payload: Any, vintage: date) -> Iterator[Quote | Rejected]:
    """Yield one quote per metered price of each listing, and what cannot be used with its reason.

    Args:
        payload: the decoded list of providers.
        vintage: day the payload shows; a price by time of day is stated for the period in force on it.

    Raises:
        ValueError: when the payload is not a list of providers with models.
    """
    if not isinstance(payload, list) or not payload:
        raise ValueError(f"expected a list of providers, found {type(payload).__name__}")
    seen: set[tuple[str | None, ...]] = set()
    for provider in payload:
        if not (
            isinstance(provider, dict)
            and isinstance(provider.get("id"), str)
            and isinstance(provider.get("models"), list)
            and (provider["id"],) not in seen
        ):
            raise ValueError(f"expected a provider of its own `id` with `models`, found {str(provider)[:80]}")
        seen.add((provider["id"],))
        for listing in provider["models"]:
            name = listing.get("id") if isinstance(listing, dict) else None
            place = f"{provider['id']}/{name or '?'}"
            try:
                found = list(_listing(provider["id"], listing, vintage))
            except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
                yield Rejected(place, str(listing)[:500], "unreadable_listing", f"expected prices: {error}")
                continue
            if (provider["id"], name) in seen:
                yield Rejected(place, str(listing)[:500], "repeated_listing", "expected each id of a provider once")
                continue
            seen.add((provider["id"], name))
            yield from found


def _listing(provider: str, listing: Mapping[str, Any], vintage: date) -> Iterator[Quote | Rejected]:
    if not isinstance(listing["id"], str) or not listing["id"]:
        raise ValueError("`id` is no text")
    for prefix, segments in _variants(listing, vintage):
        yield from _quotes(provider, listing["id"], prefix, segments)


def parse_providers(payload: Any) -> Iterator[tuple[str, str, str | None]]:
    """Yield id, display name and first price page of each provider."""
    for provider in payload:
        pages = provider.get("pricing_urls")
        page = pages[0] if isinstance(pages, list) and pages else None
        yield provider["id"], str(provider.get("name") or provider["id"]), None if page is None else str(page)


def _variants(listing: Mapping[str, Any], vintage: date) -> Iterator[tuple[str, list[_Segment]]]:
    """Yield (meter prefix, periods) for the standard price and for each variant of it."""
    stated = listing["prices"]
    conditional = stated if isinstance(stated, list) else [{"prices": stated}]
    by_day = [entry for entry in conditional if not _is_by_hour(entry)]
    segments = _segments(by_day)
    by_hour = [entry for entry in conditional if _is_by_hour(entry)]
    if by_hour:
        yield from _by_hour(segments, by_hour, vintage)
    else:
        yield "", segments
    grouped: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for variant in listing.get("price_variants") or []:
        grouped[_prefix(variant["when"])].append(variant)
    for prefix, entries in grouped.items():
        if prefix:
            yield prefix, _segments(entries)


def _prefix(when: Mapping[str, str]) -> str:
    """Name the meter prefix of a request context, for example `batch_`; the default tier has none."""
    parts = [setting if name in _TIER_CONTEXTS else f"{name}_{setting}" for name, setting in sorted(when.items())]
    return "".join(
        "".join(letter if letter.isalnum() else "_" for letter in part.lower()) + "_"
        for part in parts
        if part != "default"
    )


def _is_by_hour(entry: Mapping[str, Any]) -> bool:
    return "start_time" in (entry.get("constraint") or {})


def _segments(entries: Iterable[Mapping[str, Any]]) -> list[_Segment]:
    """Turn conditional prices into periods: on each day the last matching entry is in force."""
    dated = [
        (
            date.fromisoformat(start) if (start := (entry.get("constraint") or {}).get("start_date")) else None,
            entry["prices"],
        )
        for entry in entries
    ]
    if not dated:
        return []
    starts: list[date | None] = [*sorted({day for day, _ in dated if day is not None})]
    if any(day is None for day, _ in dated):
        starts = [None, *starts]
    segments = []
    for index, start in enumerate(starts):
        in_force = [prices for day, prices in dated if day is None or (start is not None and day <= start)][-1]
        ends = starts[index + 1] if index + 1 < len(starts) else None
        segments.append(_Segment(start, ends, in_force))
    return segments


def _by_hour(
    segments: list[_Segment], entries: Sequence[Mapping[str, Any]], vintage: date
) -> Iterator[tuple[str, list[_Segment]]]:
    """Tell the standard from the peak or off-peak price: the one of most hours is the standard."""
    hours = sum(_hours(entry["constraint"]) for entry in entries)
    prices = entries[0]["prices"]
    if any(entry["prices"] != prices for entry in entries):
        raise ValueError("prices by time of day differ among themselves")
    hourly = [_Segment(None, None, prices)]
    in_force = [
        segment
        for segment in segments
        if (segment.starts is None or segment.starts <= vintage) and (segment.ends is None or segment.ends > vintage)
    ]
    base = in_force[0].prices if in_force else prices
    dearer = "peak_" if _standard_input(prices) > _standard_input(base) else "off_peak_"
    if 2 * hours <= HOURS_PER_DAY:
        yield "", segments
        yield dearer, hourly
    else:
        # The hourly price rules the day, so the undated one is the exception.
        yield "", hourly
        yield ("off_peak_" if dearer == "peak_" else "peak_"), segments


def _standard_input(prices: Mapping[str, Any]) -> Decimal:
    amount = prices["input_mtok"]
    return Decimal(str(amount["base"] if isinstance(amount, dict) else amount))


def _hours(constraint: Mapping[str, str]) -> float:
    begin, end = (
        datetime.fromisoformat(f"2000-01-01T{constraint[name].replace('Z', '+00:00')}")
        for name in ("start_time", "end_time")
    )
    return ((end - begin).total_seconds() / SECONDS_PER_HOUR) % HOURS_PER_DAY


def _quotes(
    provider: str, source_model_id: str, prefix: str, segments: Iterable[_Segment]
) -> Iterator[Quote | Rejected]:
    """Yield the quotes of one variant; an amount that does not change between periods is one quote."""
    running: dict[tuple[str, int], Quote] = {}
    for segment in segments:
        stated: dict[tuple[str, int], Quote] = {}
        for key, amount in segment.prices.items():
            for tier, text in _tiers(amount):
                quote = _quote(provider, source_model_id, prefix, key, tier, text, segment)
                if isinstance(quote, Rejected):
                    yield quote
                elif (quote.meter, tier) in stated:
                    yield Rejected(
                        f"{provider}/{source_model_id} {prefix}{key}", text, "repeated_meter", "expected one"
                    )
                else:
                    stated[quote.meter, tier] = quote
        for place, earlier in running.items():
            later = stated.get(place)
            if later is not None and (later.amount_original, later.unit) == (
                earlier.amount_original,
                earlier.unit,
            ):
                stated[place] = dataclasses.replace(later, effective_from=earlier.effective_from)
            else:
                yield earlier
        running = stated
    yield from running.values()


def _tiers(amount: Any) -> Iterator[tuple[int, str]]:
    if isinstance(amount, dict):
        yield 0, str(amount["base"])
        for tier in amount["tiers"]:
            start = Decimal(str(tier["start"]))
            if not (0 <= start < 2**63 and start == int(start)):
                raise ValueError(f"a tier starts at {start} tokens")
            yield int(start), str(tier["price"])
    else:
        yield 0, str(amount)


def _quote(
    provider: str, source_model_id: str, prefix: str, key: str, tier: int, text: str, segment: _Segment
) -> Quote | Rejected:
    place = f"{provider}/{source_model_id} {prefix}{key} tier {tier} from {segment.starts}"
    suffix = next((ending for ending in _UNITS if key.endswith(ending)), None)
    if suffix is None:
        return Rejected(place, text, "unknown_unit", f"expected a price key ending in one of {', '.join(_UNITS)}")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return Rejected(place, text, "not_a_number", "expected a decimal number")
    if not amount.is_finite() or amount < 0:
        return Rejected(place, text, "negative_or_not_finite", "expected a finite amount of 0 or more")
    meter = key.removesuffix(suffix)
    limit = _LIMITS.get(meter, _LARGEST_STORED)
    if suffix == _MTOK and amount >= limit:
        return Rejected(place, text, "beyond_limit", f"expected less than {limit} USD per million tokens")
    # A float's trace in the sixteenth decimal is rounded away; what would round to nothing is not free.
    stored = round(amount, _DECIMALS_STORED) if suffix == _MTOK else None
    if stored == 0 and amount > 0:
        return Rejected(place, text, "too_small", f"expected 0, or an amount that shows in {_DECIMALS_STORED} decimals")
    return Quote(
        provider=provider,
        source_model_id=source_model_id,
        meter=f"{prefix}{meter}",
        tier_min_tokens=tier,
        usd_per_mtok=stored,
        unit=_UNITS[suffix],
        amount_original=text,
        currency="USD",
        effective_from=segment.starts,
        effective_to=segment.ends,
    )


GENAI_PRICES = PriceSource(
    name="genai_prices",
    origin=ORIGIN,
    parse=parse,
    decode=decode,
    embedded=embedded,
    live_url="https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json",
)
