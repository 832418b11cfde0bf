"""Frames for people and for programs: one table and one JSON form for every verb."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import polars as pl

if TYPE_CHECKING:
    from rich.console import Console

_MAX_ROWS = 200
_PIPE_WIDTH = 240


def number_text(amount: Decimal | float) -> str:
    """Write a number for people: exact decimals without trailing zeros, floats with four digits."""
    if isinstance(amount, Decimal):
        return f"{amount.normalize():f}"
    return f"{amount:,.0f}" if float(amount).is_integer() and abs(amount) < 1e15 else f"{amount:.4g}"


def _cell(item: Any) -> str:
    if item is None:
        return ""
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, (Decimal, float)):
        return number_text(item)
    return str(item)


def terminal() -> Console:
    """Return the console of standard output; a file or pipe is wide, so that cells are not broken."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def print_table(frame: pl.DataFrame, *, title: str | None = None) -> None:
    """Print a frame as a table; long ones are cut, and say so."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for name, kind in frame.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in frame.head(_MAX_ROWS).iter_rows():
        table.add_row(*(_cell(item) for item in row))
    terminal().print(table)
    if frame.height > _MAX_ROWS:
        click.echo(f"{_MAX_ROWS} of {frame.height} rows; --format csv, json or parquet gives all of them")


def _plain(item: Any) -> Any:
    if isinstance(item, Decimal):
        return float(item)
    if isinstance(item, (date, datetime)):
        return item.isoformat()
    return str(item)


def json_text(content: Any) -> str:
    """Return JSON: frames become lists of objects, dates ISO, decimals numbers."""
    if isinstance(content, pl.DataFrame):
        content = content.to_dicts()
    return json.dumps(content, default=_plain, indent=2, ensure_ascii=False)
