"""SQL files: what a statement reads, and what a file must say about itself."""

import pytest

from pipelines.errors import FreefallError
from pipelines.warehouse.sql import checks, dependencies, read_select, table_selects


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("from core.listing", ("core.listing",)),
        ("select 1", ()),
        ("with quote as (from raw.quotes) select * from quote", ("raw.quotes",)),
        # A CTE may bear the name of a table.
        ("with listing as (from core.listing) select * from listing", ("core.listing",)),
        ("with recursive n as (select 1 as i union all select i + 1 from n where i < 3) from n", ()),
        ("from core.a asof join core.b using (listing_id, valid_from)", ("core.a", "core.b")),
        ("from core.a, lateral (select * from core.b where b.x = a.x)", ("core.a", "core.b")),
        ("select (select max(x) from core.a), exists (from core.b) from core.c", ("core.a", "core.b", "core.c")),
        ("select * from core.a where x not in (select x from core.b)", ("core.a", "core.b")),
        ("(from core.a) union all by name (from core.b) order by all", ("core.a", "core.b")),
        ("from core.a as one, core.a as two", ("core.a",)),
        ("from range(3)", ()),
    ],
)
def test_a_statement_reads_the_tables_it_names(statement, reads):
    assert dependencies(statement, where="test") == reads


@pytest.mark.parametrize(
    "statement", ["selec 1", "create table x as select 1", "delete from core.a", "pivot core.a on x"]
)
def test_what_is_no_select_is_refused_with_its_place(statement):
    with pytest.raises(FreefallError, match=r"sql/core/x\.sql: "):
        dependencies(statement, where="sql/core/x.sql")


@pytest.fixture
def folder(tmp_path):
    for name in ("core", "mart", "checks"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_the_leading_comment_is_kept_without_its_settings(folder):
    path = folder / "checks" / "some.sql"
    path.write_text("-- table: core.listing\n-- severity: warning\n-- Nothing is\n-- wrong.\nfrom core.listing\n")
    select = read_select(path, "some")
    assert select.comment == "Nothing is\nwrong."
    assert select.reads == ("core.listing",)


def test_a_file_without_a_leading_comment_is_refused(folder):
    (folder / "core" / "listing.sql").write_text("select 1\n")
    with pytest.raises(FreefallError, match=r"listing\.sql: expected a leading comment"):
        table_selects(folder)


def test_a_file_without_a_declared_table_is_refused(folder):
    (folder / "mart" / "surprise.sql").write_text("-- What it decides.\nselect 1\n")
    with pytest.raises(FreefallError, match=r"surprise\.sql: no table mart\.surprise is declared"):
        table_selects(folder)


@pytest.mark.parametrize(
    "header",
    [
        "-- severity: critical\n-- No table.\n",
        "-- table: core.listing\n-- No severity.\n",
        "-- table: core.unheard\n-- severity: critical\n-- Unknown table.\n",
        "-- table: core.listing\n-- severity: fatal\n-- Unknown severity.\n",
    ],
)
def test_a_check_without_table_and_severity_is_refused(folder, header):
    (folder / "checks" / "some.sql").write_text(f"{header}from core.listing\n")
    with pytest.raises(FreefallError, match=r"some\.sql: expected `-- table: <declared table>` and `-- severity:"):
        checks(folder)


def test_a_check_is_attached_to_its_table(folder):
    (folder / "checks" / "some.sql").write_text(
        "-- table: core.listing\n-- severity: warning\n-- Text.\nfrom core.listing\n"
    )
    (check,) = checks(folder)
    assert (check.table.qualified, check.severity, check.select.name) == ("core.listing", "warning", "some")
