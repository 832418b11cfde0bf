"""The SELECT files of `sql/`: one file, one table; dependencies from DuckDB's own parse tree."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from pipelines.errors import FreefallError
from pipelines.schema.catalog import BY_NAME
from pipelines.schema.table import Table

_HEADER = re.compile(r"\A(?:--[^\n]*\n)+")
_SETTING = re.compile(r"^-- (table|severity): *(\S+) *$", re.MULTILINE)


@dataclass(frozen=True)
class Select:
    """One SELECT and what it reads.

    Attributes:
        name: qualified table it fills, or the file's stem.
        path: the file.
        text: its statement.
        comment: its leading comment: what it decides.
        reads: qualified tables it reads, sorted.
    """

    name: str
    path: Path
    text: str
    comment: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """A query that must return no rows, attached to the table after which it can run."""

    table: Table
    severity: Literal["critical", "warning"]
    select: Select


@functools.cache
def _parser() -> duckdb.DuckDBPyConnection:
    """Return an empty database that only parses; opening one per statement would cost more than parsing."""
    return duckdb.connect()


def dependencies(statement: str, *, where: str) -> tuple[str, ...]:
    """Return the qualified tables that a SELECT reads.

    Raises:
        FreefallError: when the statement does not parse, naming `where` it stands.
    """
    tree = json.loads(_parser().execute("select json_serialize_sql(?)", [statement]).fetchall()[0][0])
    if tree.get("error"):
        raise FreefallError(f"{where}: {tree.get('error_message')}")
    return tuple(sorted({f"{schema}.{name}" for schema, name in _base_tables(tree) if schema}))


def _base_tables(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield node["schema_name"], node["table_name"]
        for child in node.values():
            yield from _base_tables(child)
    elif isinstance(node, list):
        for child in node:
            yield from _base_tables(child)


def read_select(path: Path, name: str) -> Select:
    """Read one file.

    Raises:
        FreefallError: when it lacks its leading comment or does not parse.
    """
    text = path.read_text(encoding="utf-8")
    header = _HEADER.match(text)
    if header is None:
        raise FreefallError(f"{path}: expected a leading comment that says what the query decides")
    comment = "\n".join(
        line.removeprefix("--").strip() for line in header.group().splitlines() if not _SETTING.match(line)
    )
    return Select(name, path, text, comment, dependencies(text, where=str(path)))


@functools.cache
def table_selects(folder: Path) -> dict[str, Select]:
    """Return the SELECT of every table that has one, by qualified name.

    Raises:
        FreefallError: when a file has no declared table.
    """
    selects = {}
    for path in sorted(folder.glob("core/*.sql")) + sorted(folder.glob("mart/*.sql")):
        name = f"{path.parent.name}.{path.stem}"
        if name not in BY_NAME:
            raise FreefallError(f"{path}: no table {name} is declared in pipelines/schema/")
        selects[name] = read_select(path, name)
    return selects


@functools.cache
def checks(folder: Path) -> tuple[Check, ...]:
    """Return the queries of `sql/checks/`, each attached to the table named in its header.

    Raises:
        FreefallError: when a header lacks `-- table:` or `-- severity:`.
    """
    found = []
    for path in sorted(folder.glob("checks/*.sql")):
        select = read_select(path, path.stem)
        settings = dict(_SETTING.findall(select.text))
        if settings.get("table") not in BY_NAME or settings.get("severity") not in ("critical", "warning"):
            raise FreefallError(f"{path}: expected `-- table: <declared table>` and `-- severity: critical|warning`")
        severity: Literal["critical", "warning"] = "critical" if settings["severity"] == "critical" else "warning"
        found.append(Check(BY_NAME[settings["table"]], severity, select))
    return tuple(found)
