"""What a table is: the single declaration that DDL, expectations and the dictionary derive from."""

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

Layer = Literal["raw", "core", "mart", "meta"]
Group = Literal["prices", "capability", "accelerators", "technologies", "demand", "claims", "operations"]

_POLARS_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "BIGINT": pl.Int64(),
    "DOUBLE": pl.Float64(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
}


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type, what it means, and what may stand in it.

    Attributes:
        name: snake_case; the suffix says the unit (ARCHITECTURE: Words).
        sql_type: DuckDB type, as `DESCRIBE` prints it.
        comment: what it means, with unit; becomes the COMMENT and the dictionary entry.
        nullable: whether NULL may stand in it; the comment then says what NULL means.
        minimum: smallest allowed number, inclusive.
        maximum: largest allowed number, inclusive.
        allowed: the only allowed texts, when the set is closed.
        warn_only: a breach of minimum, maximum or allowed is reported but does not block publication.
    """

    name: str
    sql_type: str
    comment: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    warn_only: bool = False

    @property
    def polars_type(self) -> pl.DataType:
        """The polars type that DuckDB reads and writes as sql_type."""
        if self.sql_type.startswith("DECIMAL"):
            precision, scale = (int(part) for part in self.sql_type[8:-1].split(","))
            return pl.Decimal(precision, scale)
        return _POLARS_TYPES[self.sql_type]

    def but(self, **changes: object) -> "Column":
        """Return this column with some attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Table:
    """One table: asset key, SQL file, DDL, expectation suite and dictionary page in one.

    Attributes:
        schema: raw (as published), core (conformed), mart (the public contract) or meta (the run itself).
        name: singular noun; also the file name of its SELECT and the asset's name.
        comment: starts "One row per ...".
        columns: in order.
        key: columns that together are unique and never NULL as a combination.
        group: the topic, which groups assets and dictionary pages.
        minimum_rows: fewer rows than this block publication (an empty feed is a fault, not news).
        is_published: False for a step between raw and a table that users query.
    """

    schema: Layer
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    group: Group
    minimum_rows: int = 0
    is_published: bool = True

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        names = [column.name for column in self.columns]
        repeated = {name for name in names if names.count(name) > 1}
        missing = set(self.key) - set(names)
        if repeated or missing:
            raise ValueError(
                f"{self.qualified}: repeated columns {sorted(repeated)}, key columns not declared {sorted(missing)}"
            )

    @property
    def qualified(self) -> str:
        """`schema.name`, as SQL writes it."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def frame_schema(self) -> dict[str, pl.DataType]:
        """Column names and polars types in order."""
        return {column.name: column.polars_type for column in self.columns}

    def as_raw(self, *, comment: str | None = None) -> "Table":
        """Return the `raw` table that holds these very columns as a reference file states them."""
        return replace(self, schema="raw", comment=comment or f"{self.comment} As the curated file states it.")


@dataclass(frozen=True)
class CheckOutcome:
    """What one check of one table found: a row of meta.check_result.

    Attributes:
        table_name: qualified table.
        check_name: what was checked.
        severity: `critical` blocks publication, `warning` is only reported.
        is_passed: the check held.
        failed_rows: rows that break it (1 when the check is about the table as a whole).
        detail: the first offending rows or the finding; None when it held.
    """

    table_name: str
    check_name: str
    severity: Literal["critical", "warning"]
    is_passed: bool
    failed_rows: int
    detail: str | None
