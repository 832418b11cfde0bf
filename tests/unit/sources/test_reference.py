"""Curated files: every committed one reads, and each fault is said with file, line and column."""

import csv
import io
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import FreefallError
from pipelines.paths import REFERENCE
from pipelines.schema import raw
from pipelines.schema.table import Column, Table
from pipelines.sources.reference import read_reference, reference_path

TABLE = Table(
    "raw",
    "sprout_price",
    "One row per sprout and day.",
    (
        Column("sprout", "VARCHAR", "Name."),
        Column("date", "DATE", "Day.", nullable=True),
        Column("kind", "VARCHAR", "Kind.", allowed=("launch", "cut")),
        Column("usd_per_mtok", "DECIMAL(18,9)", "Price.", minimum=0, nullable=True),
        Column("score", "DOUBLE", "Score.", minimum=0, maximum=100, nullable=True),
        Column("year", "BIGINT", "Year.", nullable=True),
        Column("is_open", "BOOLEAN", "Open.", nullable=True),
        Column("note", "VARCHAR", "Note.", nullable=True),
    ),
    ("sprout", "date"),
    "prices",
)
HEAD = "# Prices of sprouts\n# source: a garden\n# licence: facts\n# vintage: 2026-11-23\n"
COLUMNS = ",".join(TABLE.column_names) + "\n"
GOOD = "oak,2026-01-01,launch,2.5,50,2026,true,first\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "sprout_price.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_reference(path, TABLE)

    return read_text


@pytest.mark.parametrize("table", raw.REFERENCE, ids=lambda table: table.name)
def test_every_committed_file_reads_with_its_declaration(table):
    reference = read_reference(reference_path(REFERENCE, table), table)
    assert reference.frame.schema == pl.Schema(table.frame_schema)
    assert reference.frame.height >= table.minimum_rows
    assert reference.frame.select(table.key).is_duplicated().sum() == 0
    assert date(2026, 1, 1) < reference.vintage <= date(2026, 12, 31)
    assert len(reference.sha256) == 64


def test_a_row_is_typed_as_declared(read):
    reference = read(HEAD + COLUMNS + GOOD + "elm,,cut,,,,,\n")
    assert reference.frame.rows() == [
        ("oak", date(2026, 1, 1), "launch", Decimal("2.5"), 50.0, 2026, True, "first"),
        ("elm", None, "cut", None, None, None, None, None),
    ]
    assert reference.vintage == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "oak,2026-01-01,launch,NaN,50,2026,true,",
            "line 6, column usd_per_mtok: expected a finite number; found 'NaN'",
        ),
        ("oak,2026-01-01,launch,1,inf,2026,true,", "line 6, column score: expected a finite number; found 'inf'"),
        ("oak,2026-01-01,launch,-0.1,50,2026,true,", "line 6, column usd_per_mtok: expected at least 0; found '-0.1'"),
        ("oak,2026-01-01,launch,1,100.5,2026,true,", "line 6, column score: expected at most 100; found '100.5'"),
        (
            "oak,2026-13-01,launch,1,50,2026,true,",
            "line 6, column date: expected a date YYYY-MM-DD; found '2026-13-01'",
        ),
        ("oak,20260101,launch,1,50,2026,true,", "line 6, column date: expected a date YYYY-MM-DD; found '20260101'"),
        ("oak,2026-01-01,launch,1,50,2026,yes,", "line 6, column is_open: expected true or false; found 'yes'"),
        ("oak,2026-01-01,launch,1,50,2026.5,true,", "line 6, column year: expected a whole number; found '2026.5'"),
        ("oak,2026-01-01,launch,cheap,50,2026,true,", "line 6, column usd_per_mtok: expected a decimal number"),
        ("oak,2026-01-01,launch,1,high,2026,true,", "line 6, column score: expected a number; found 'high'"),
        ("oak,2026-01-01,rise,1,50,2026,true,", "line 6, column kind: expected one of launch, cut; found 'rise'"),
        (",2026-01-01,launch,1,50,2026,true,", "line 6, column sprout: expected a value"),
        ("oak,2026-01-01,launch,1,50,2026,true", "line 6: expected 8 cells, found 7"),
        ("oak,2026-01-01,launch,1,50,2026,true,a,b", "line 6: expected 8 cells, found 9"),
        ('oak,2026-01-01,launch,1,50,2026,true,"open', "line 6: unexpected end of data"),
        ("oak,2026-01-01,launch,12345678901,50,2026,true,", "line 6, column usd_per_mtok: expected"),
        ("oak,2026-01-01,launch,0.0000000001,50,2026,true,", "line 6, column usd_per_mtok: expected"),
        ("oak,2026-01-01,launch,1,50,99999999999999999999,true,", "line 6, column year: expected"),
        (GOOD + GOOD.strip(), "line 7: duplicate key sprout, date"),
    ],
)
def test_a_faulty_row_is_named_by_file_line_and_column(read, row, message):
    with pytest.raises(FreefallError) as caught:
        read(HEAD + COLUMNS + row + "\n")
    assert "sprout_price.csv: " in str(caught.value)
    assert message in str(caught.value)


def test_a_duplicate_key_with_an_empty_cell_is_a_duplicate_too(read):
    with pytest.raises(FreefallError, match=r"line 8: duplicate key .* first on line 6"):
        read(HEAD + COLUMNS + "oak,,cut,1,,,,\n" + GOOD + "oak,,cut,2,,,,\n")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (COLUMNS.replace("note", "notes"), "line 5: unknown columns ['notes'], missing columns ['note']"),
        (COLUMNS.replace(",note", ""), "missing columns ['note']"),
        (COLUMNS.strip() + ",extra\n", "unknown columns ['extra']"),
        (COLUMNS.replace("sprout,date", "date,sprout"), "expected sprout, date, kind"),
        ("", "expected a header row, found none"),
    ],
)
def test_a_header_row_other_than_declared_is_refused(read, header, message):
    with pytest.raises(FreefallError) as caught:
        read(HEAD + header)
    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["source", "licence", "vintage"])
def test_a_missing_header_comment_is_named(read, key):
    without = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(f"# {key}:"))
    with pytest.raises(FreefallError, match=rf"sprout_price\.csv: expected header comments `# {key}: \.\.\.`"):
        read(without + COLUMNS + GOOD)


def test_a_vintage_that_is_no_date_is_refused(read):
    with pytest.raises(FreefallError, match="`# vintage:` expected a date, found 'last week'"):
        read(HEAD.replace("2026-11-23", "last week") + COLUMNS + GOOD)


def test_bytes_that_are_no_utf8_are_refused(read):
    with pytest.raises(FreefallError, match=r"sprout_price\.csv: expected UTF-8, found byte 0xe9"):
        read((HEAD + COLUMNS + GOOD).encode() + "café,2026-01-02,cut,1,,,,\n".encode("latin-1"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FreefallError, match=r"sprout_price\.csv: cannot be read \(No such file"):
        read_reference(tmp_path / "sprout_price.csv", TABLE)


def test_a_row_that_begins_with_a_hash_is_a_row(read):
    assert read(HEAD + COLUMNS + "#1 oak,2026-01-01,launch,1,,,,\n").frame["sprout"].to_list() == ["#1 oak"]


def test_the_line_is_right_behind_a_cell_of_two_lines(read):
    with pytest.raises(FreefallError, match=r"line 8, column usd_per_mtok"):
        read(HEAD + COLUMNS + 'oak,2026-01-01,launch,1,,,,"two\nlines"\nelm,2026-01-01,cut,-1,,,,\n')


def test_the_hash_is_of_the_files_bytes(read):
    one, other = read(HEAD + COLUMNS + GOOD), read(HEAD + COLUMNS + GOOD.replace("first", "second"))
    assert one.sha256 != other.sha256
    assert one.sha256 == read(HEAD + COLUMNS + GOOD).sha256


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=12)
ROWS = st.lists(
    st.tuples(
        TEXT,
        st.none() | st.dates(),
        st.sampled_from(["launch", "cut"]),
        st.none() | st.decimals(min_value=0, max_value=999_999_999, places=9),
        st.none() | st.floats(min_value=0, max_value=100),
        st.none() | st.integers(min_value=-(2**63), max_value=2**63 - 1),
        st.none() | st.booleans(),
        st.none() | TEXT,
    ),
    max_size=5,
    unique_by=lambda row: (row[0], row[1]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS)
def test_what_is_written_is_what_is_read(read, rows):
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for row in rows:
        writer.writerow(
            ""
            if cell is None
            else str(cell).lower()
            if isinstance(cell, bool)
            else f"{cell:f}"
            if isinstance(cell, Decimal)
            else cell
            for cell in row
        )
    assert read(HEAD + COLUMNS + lines.getvalue()).frame.rows() == rows
