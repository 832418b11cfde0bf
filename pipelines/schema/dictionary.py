"""`data/DICTIONARY.md`, derived from the declarations."""

from collections.abc import Iterable

from pipelines.schema.catalog import TABLES
from pipelines.schema.table import Table

_LAYERS = {
    "core": "Conformed facts. Half-open intervals, UTC, USD per million tokens; NULL is unpriced, 0 is free.",
    "mart": "The public contract: column names here are promises.",
    "meta": "What the database was built from.",
    "raw": "What each source says; in the private warehouse only.",
}

_YES_NO = {True: "yes", False: "no"}


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def _table_section(table: Table) -> list[str]:
    return [
        f"### {table.qualified}",
        "",
        table.comment,
        "",
        f"Key: {', '.join(f'`{name}`' for name in table.key)}. Topic: {table.group}.",
        "",
        "| column | type | null | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{column.name}` | {column.sql_type} | {_YES_NO[column.nullable]} | {_escape(column.comment)} |"
            for column in table.columns
        ),
        "",
    ]


def dictionary(tables: Iterable[Table] = TABLES) -> str:
    """Return the data dictionary as Markdown; the committed file must equal it."""
    tables = list(tables)
    lines = [
        "# Data dictionary",
        "",
        "Made from the declarations in `pipelines/schema/`; do not edit by hand (`make dictionary`).",
        "",
    ]
    for schema, text in _LAYERS.items():
        lines += [f"## {schema}", "", text, ""]
        for table in tables:
            if table.schema == schema:
                lines += _table_section(table)
    return "\n".join(lines)
