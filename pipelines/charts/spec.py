"""What a chart is: where its rows come from, how it is drawn, and what its table shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

if TYPE_CHECKING:
    import altair as alt

ROW_BUDGET = 3_000
SIGNIFICANT_DIGITS = 5

Frames = Mapping[str, pl.DataFrame]


class NoDataError(Exception):
    """A chart has nothing to show; the page says so in words."""


@dataclass(frozen=True)
class Prepared:
    """Everything a picture shows, before it is drawn.

    Attributes:
        rows: what the CSV and the table under the chart hold.
        alt_text: one or two sentences that say what is seen, with the main number.
        layers: further rows that only the picture needs, such as bands and labels.
        pick: column and entries of the legend that a reader can select.
        sources: names of sources found in the rows.
    """

    rows: pl.DataFrame
    alt_text: str
    layers: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    pick: tuple[str, tuple[str, ...]] | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Round floats and refuse a picture that should have been aggregated."""
        object.__setattr__(self, "rows", rounded(self.rows))
        object.__setattr__(self, "layers", {name: rounded(rows) for name, rows in self.layers.items()})
        drawn = self.rows.height + sum(rows.height for rows in self.layers.values())
        if drawn > ROW_BUDGET:
            raise ValueError(f"a chart may draw {ROW_BUDGET} rows, this one has {drawn}: aggregate them first")

    def fingerprint(self) -> str:
        """Hash of everything that is shown."""
        digest = hashlib.sha256(repr((self.alt_text, self.pick, self.sources)).encode())
        for name, rows in (("rows", self.rows), *sorted(self.layers.items())):
            digest.update(name.encode())
            digest.update(rows.write_csv().encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class ChartSpec:
    """One chart of the site.

    Attributes:
        name: file name of the picture and anchor on the page.
        title: what the chart shows, as a heading.
        page: name of the page's TOML file.
        tables: tables whose frames it reads.
        sources: names in core.source that stand under it beside those found in its rows.
        prepare: frames to rows.
        draw: rows to an Altair chart.
        table_columns: column to heading, for the table under the chart.
    """

    name: str
    title: str
    page: str
    tables: tuple[str, ...]
    sources: tuple[str, ...]
    prepare: Callable[[Frames], Prepared]
    draw: Callable[[Prepared], alt.LayerChart]
    table_columns: Mapping[str, str]

    def build(self, frames: Frames) -> alt.LayerChart:
        """Return the Altair chart.

        Raises:
            NoDataError: when the frames hold nothing to show.
            ValueError: when a frame lacks a column.
        """
        return self.draw(self.prepare(frames))


def take(frames: Frames, table: str, *columns: str) -> pl.DataFrame:
    """Return some columns of a table, decimals as floats.

    Raises:
        NoDataError: when the table is missing or empty.
        ValueError: when it lacks a column.
    """
    frame = frames.get(table)
    if frame is None or frame.is_empty():
        raise NoDataError(f"{table} has no rows yet.")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"{table}: missing columns {missing}; the charts need them")
    return frame.select(columns).with_columns(selectors.decimal().cast(pl.Float64))


def take_or_empty(frames: Frames, table: str, **columns: pl.DataType | type[pl.DataType]) -> pl.DataFrame:
    """Return some columns of an optional table; no rows when the table is missing or empty."""
    try:
        return take(frames, table, *columns)
    except NoDataError:
        return pl.DataFrame(schema=columns)


def some(frame: pl.DataFrame, otherwise: str) -> pl.DataFrame:
    """Return the frame, or say that nothing is left of it.

    Raises:
        NoDataError: when the frame is empty.
    """
    if frame.is_empty():
        raise NoDataError(otherwise)
    return frame


def extremes(numbers: pl.Series) -> tuple[float, float]:
    """Return the smallest and the largest number of a column that has some."""
    shown = numbers.drop_nulls()
    return float(shown.min()), float(shown.max())  # type: ignore[arg-type]


def rounded(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep as many digits as a picture can show."""
    return frame.with_columns(selectors.float().round_sig_figs(SIGNIFICANT_DIGITS))


def compact_json(tree: Any) -> str:
    """Return JSON that may stand in a script, always the same for the same content."""
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False, sort_keys=True).replace("</", "<\\/")
