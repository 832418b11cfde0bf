"""The data dictionary: every table, every column, Markdown that holds."""

from pipelines.schema.catalog import TABLES
from pipelines.schema.dictionary import dictionary
from pipelines.schema.table import Column, Table

TEXT = dictionary()


def test_every_table_has_its_section_and_every_column_its_row():
    for table in TABLES:
        section = TEXT.split(f"### {table.qualified}\n", maxsplit=1)[1].split("\n### ", maxsplit=1)[0]
        assert table.comment in section
        for column in table.columns:
            assert f"| `{column.name}` | {column.sql_type} |" in section


def test_tables_stand_below_their_schema():
    assert [line for line in TEXT.splitlines() if line.startswith("## ")] == ["## core", "## mart", "## meta", "## raw"]


def test_a_bar_in_a_comment_does_not_break_the_table():
    table = Table(
        "core", "barred", "One row per id.", (Column("id", "VARCHAR", "a | b", nullable=True),), ("id",), "prices"
    )
    assert "| `id` | VARCHAR | yes | a \\| b |" in dictionary([table])


def test_the_dictionary_is_the_same_every_time():
    assert dictionary() == TEXT
