"""Curated facts in `data/reference/*.csv`: one file per table, typed by its declaration.

A file starts with comment lines (`# source: ...`, `# licence: ...`, `# vintage: YYYY-MM-DD`), then a
header row with exactly the declared columns. An empty cell is NULL. Every error names file, line and
column, and says what was expected.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import FreefallError
from pipelines.schema.table import Column, Table

_HEADER_KEYS = ("source", "licence", "vintage")


@dataclass(frozen=True)
class ReferenceFile:
    """One read file.

    Attributes:
        frame: rows with the declared columns and types.
        vintage: date of compilation, from the header comment.
        sha256: hash of the file's bytes.
    """

    frame: pl.DataFrame
    vintage: date
    sha256: str


def reference_path(folder: Path, table: Table) -> Path:
    """Return the file of a table: the table's name."""
    return folder / f"{table.name}.csv"


def read_reference(path: Path, table: Table) -> ReferenceFile:
    """Read and check one curated file.

    Raises:
        FreefallError: naming file, line and column, when the file is missing, not UTF-8, lacks a header
            comment, has other columns than declared, or holds a cell or key that the declaration forbids.
    """
    try:
        encoded = path.read_bytes()
        text = encoded.decode("utf-8")
    except OSError as error:
        raise FreefallError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise FreefallError(
            f"{path}: expected UTF-8, found byte {error.object[error.start]:#x} at {error.start}"
        ) from error
    lines = text.removesuffix("\n").split("\n")
    comments = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
    vintage = _vintage(path, comments)
    frame = _frame(path, table, _records(path, table, lines, len(comments)))
    return ReferenceFile(frame, vintage, hashlib.sha256(encoded).hexdigest())


def _vintage(path: Path, comments: list[str]) -> date:
    stated = {
        key: line.removeprefix(f"# {key}:").strip()
        for line in comments
        for key in _HEADER_KEYS
        if line.startswith(f"# {key}:")
    }
    missing = [key for key in _HEADER_KEYS if not stated.get(key)]
    if missing:
        raise FreefallError(f"{path}: expected header comments `# {': ...`, `# '.join(missing)}: ...`")
    try:
        return date.fromisoformat(stated["vintage"])
    except ValueError as error:
        raise FreefallError(f"{path}: `# vintage:` expected a date, found {stated['vintage']!r}") from error


def _records(path: Path, table: Table, lines: list[str], comments: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and typed cells of each row behind the comments."""
    if not any(lines[comments:]):
        raise FreefallError(f"{path}: expected a header row, found none")
    reader = csv.reader((f"{line}\n" for line in lines[comments:]), strict=True)
    parsers = [_parser(column) for column in table.columns]
    try:
        header = next(reader)
        if tuple(header) != table.column_names:
            unknown = [name for name in header if name not in table.column_names]
            missing = [name for name in table.column_names if name not in header]
            raise FreefallError(
                f"{path}: line {comments + 1}: unknown columns {unknown}, missing columns {missing}; "
                f"expected {', '.join(table.column_names)}"
            )
        for cells in reader:
            number = comments + reader.line_num
            if len(cells) != len(table.columns):
                raise FreefallError(f"{path}: line {number}: expected {len(table.columns)} cells, found {len(cells)}")
            row = {}
            for column, parse_cell, cell in zip(table.columns, parsers, cells, strict=True):
                try:
                    row[column.name] = _checked(column, parse_cell, cell)
                except (ValueError, InvalidOperation) as error:
                    raise FreefallError(
                        f"{path}: line {number}, column {column.name}: {error or 'unreadable'}; found {cell!r}"
                    ) from error
            yield number, row
    except csv.Error as error:
        raise FreefallError(f"{path}: line {comments + reader.line_num}: {error}") from error


def _checked(column: Column, parse_cell: Callable[[str], Any], cell: str) -> Any:
    if cell == "":
        if not column.nullable:
            raise ValueError("expected a value; the column may not be empty")
        return None
    typed = parse_cell(cell)
    if isinstance(typed, (int, float, Decimal)) and not isinstance(typed, bool):
        if not math.isfinite(typed):
            raise ValueError("expected a finite number")
        if column.minimum is not None and typed < column.minimum:
            raise ValueError(f"expected at least {column.minimum}")
        if column.maximum is not None and typed > column.maximum:
            raise ValueError(f"expected at most {column.maximum}")
        _require_room(column, typed)
    if column.allowed and typed not in column.allowed:
        raise ValueError(f"expected one of {', '.join(column.allowed)}")
    return typed


def _require_room(column: Column, typed: float | Decimal) -> None:
    """Refuse a number that the column's type would cut, round or lose."""
    kind = column.polars_type
    if isinstance(kind, pl.Decimal):
        whole = kind.precision - kind.scale
        if abs(typed) >= 10**whole or typed != round(typed, kind.scale):
            raise ValueError(f"expected at most {whole} digits before and {kind.scale} behind the point")
    elif isinstance(kind, pl.Int64) and not -(2**63) <= typed < 2**63:
        raise ValueError("expected a number of 64 bits")


def _date(cell: str) -> date:
    day = date.fromisoformat(cell)
    if day.isoformat() != cell:
        raise ValueError("other ISO forms are refused")
    return day


def _boolean(cell: str) -> bool:
    if cell not in ("true", "false"):
        raise ValueError("expected true or false")
    return cell == "true"


def _number(expected: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse_cell(cell: str) -> Any:
        try:
            return convert(cell)
        except (ValueError, InvalidOperation) as error:
            raise ValueError(f"expected {expected}") from error

    return parse_cell


def _parser(column: Column) -> Callable[[str], Any]:
    parsers: dict[str, Callable[[str], Any]] = {
        "VARCHAR": str,
        "BOOLEAN": _boolean,
        "BIGINT": _number("a whole number", int),
        "DOUBLE": _number("a number", float),
        "DATE": _number("a date YYYY-MM-DD", _date),
        "TIMESTAMP": _number("a UTC time YYYY-MM-DDTHH:MM:SS", datetime.fromisoformat),
        "DECIMAL": _number("a decimal number", Decimal),
    }
    return parsers[column.sql_type.split("(")[0]]


def _frame(path: Path, table: Table, records: Iterator[tuple[int, dict[str, Any]]]) -> pl.DataFrame:
    rows = []
    first_line: dict[tuple[Any, ...], int] = {}
    for number, row in records:
        key = tuple(row[name] for name in table.key)
        if key in first_line:
            raise FreefallError(
                f"{path}: line {number}: duplicate key {', '.join(table.key)} = {key}, first on line {first_line[key]}"
            )
        first_line[key] = number
        rows.append(row)
    return pl.DataFrame(rows, schema=table.frame_schema, orient="row")
