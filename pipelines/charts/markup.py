"""HTML of small things: escaped text, numbers as people read them, tables that scroll inside their box."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any

import polars as pl

ROWS_SHOWN = 40
_DIGITS = 4
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def number(amount: float) -> str:
    """Write a number with four significant digits and no exponent."""
    if abs(amount) >= 10**_DIGITS:
        return f"{amount:,.0f}"
    text = f"{Decimal(f'{amount:.{_DIGITS}g}'):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(content: Any) -> str:
    """Write one cell of a table; what is unknown is a dash."""
    match content:
        case None | "":
            text = '<span class="none">–</span>'
        case bool():
            text = "yes" if content else "no"
        case datetime():
            text = f"{content:%Y-%m-%d %H:%M}"
        case date():
            text = content.isoformat()
        case int() | float() | Decimal():
            text = number(float(content))
        case str() if content.startswith(("https://", "http://")):
            # Some rows name two pages; the first is the link.
            address = content.split(maxsplit=1)[0]
            text = f'<a href="{escape(address)}">{escape(address.split("/")[2])}</a>'
        case _:
            text = escape(str(content))
    return text


def prose(text: str) -> str:
    """Turn the plain text of a page file into paragraphs, with `code` and [links](page.html)."""
    paragraphs = [part.strip() for part in text.strip().split("\n\n") if part.strip()]
    return "\n".join(f"<p>{inline_text(part)}</p>" for part in paragraphs)


def inline_text(text: str) -> str:
    """Escape one paragraph and render its code and links."""
    escaped = _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()), quote=False))
    return _LINK.sub(r'<a href="\2">\1</a>', escaped)


def table(rows: pl.DataFrame, headings: Mapping[str, str], *, caption: str, full: str = "") -> str:
    """Return a table of some columns; long ones are cut and say where the rest is.

    Args:
        rows: what to show.
        headings: column to heading, in order; columns the rows lack are left out.
        caption: what the table shows.
        full: where all rows are, when not all are shown.
    """
    shown = {column: heading for column, heading in headings.items() if column in rows.columns}
    marks = {column: _mark(rows.schema[column]) for column in shown}
    head = "".join(f'<th scope="col"{marks[column]}>{escape(heading)}</th>' for column, heading in shown.items())
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{marks[column]}>{cell(content)}</td>" for column, content in zip(shown, row, strict=True))
        + "</tr>"
        for row in rows.select(list(shown)).head(ROWS_SHOWN).iter_rows()
    )
    cut = (
        f'<p class="note">The first {ROWS_SHOWN} of {rows.height:,} rows. {inline_text(full)}</p>'
        if rows.height > ROWS_SHOWN
        else ""
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">\n<table>\n'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>{cut}"
    )


def _mark(kind: pl.DataType) -> str:
    return ' class="number"' if kind.is_numeric() else ' class="date"' if kind.is_temporal() else ""
