"""CREATE and COMMENT statements, derived from the declarations."""

from pipelines.schema.table import Column, Table

SCHEMAS = ("raw", "core", "mart", "meta")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _definition(column: Column) -> str:
    return f"{column.name} {column.sql_type}{'' if column.nullable else ' not null'}"


def create_schemas() -> list[str]:
    """Return the statements that make the schemas (DuckDB has no comments on schemas)."""
    return [f"create schema if not exists {schema}" for schema in SCHEMAS]


def create_table(table: Table) -> list[str]:
    """Return the statements that make one empty, commented table (replacing an older one)."""
    columns = ", ".join(_definition(column) for column in table.columns)
    return [
        f"create or replace table {table.qualified} ({columns})",
        f"comment on table {table.qualified} is {_literal(table.comment)}",
        *(
            f"comment on column {table.qualified}.{column.name} is {_literal(column.comment)}"
            for column in table.columns
        ),
    ]
