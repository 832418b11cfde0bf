from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from example_frames import example_frames
from PIL import Image

from pipelines.charts import pages, site
from pipelines.charts.markup import cell, inline_text, number, prose, table
from pipelines.charts.pictures import write_png
from pipelines.charts.registry import CHARTS
from pipelines.charts.site import REQUIRED_TABLES, build_site
from pipelines.paths import DASHBOARDS

WHEN = datetime(2026, 10, 1, 6, tzinfo=UTC)
MEGABYTE = 1_000_000


def build(frames, folder):
    return build_site(frames, folder, code_version="0.1.0", as_built=WHEN)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    return folder, build(example_frames(), folder)


@pytest.fixture
def without_drawing(monkeypatch):
    """Charts cost a tenth of a second each; tests of the pages write empty files instead."""

    def write(spec, _, source_line, folder):
        for suffix in (".js", ".png", ".svg", ".csv"):
            (folder / spec.name).with_suffix(suffix).write_text(source_line)

    monkeypatch.setattr(site, "write_files", write)
    monkeypatch.setattr(site, "write_png", lambda _: None)
    monkeypatch.setattr(site, "vega_script", lambda: "")


def test_every_page_and_chart_is_written(built):
    folder, summary = built
    assert summary.pages == len(list(folder.glob("*.html"))) == 12
    assert summary.charts_drawn == len(CHARTS)
    assert summary.files == len(content(folder))
    for spec in CHARTS:
        page = (folder / f"{spec.page}.html").read_text()
        assert f'data-chart="{spec.name}"' in page
        for suffix in ("js", "png", "svg", "csv"):
            assert (folder / "charts" / f"{spec.name}.{suffix}").stat().st_size > 0


def test_the_site_stays_small(built):
    assert built[1].bytes < 3 * MEGABYTE


def test_pages_ask_for_nothing_from_elsewhere(built):
    for path in built[0].glob("*.html"):
        text = path.read_text()
        assert 'src="http' not in text
        assert 'link rel="stylesheet" href="http' not in text
        assert "None" not in text.replace("None of", "")


def test_pictures_name_their_sources(built):
    svg = (built[0] / "charts" / "frontier_eci.svg").read_text()
    assert "Epoch AI, Benchmarking Hub" in svg
    assert "CC BY 4.0" in svg


def test_pictures_write_prices_as_people_do(built):
    svg = (built[0] / "charts" / "headline.svg").read_text()
    assert ">$0.10<" in svg
    assert ">$30<" in svg


def test_text_of_the_data_cannot_become_markup(built):
    text = (built[0] / "checks.html").read_text()
    assert "listing-03 &lt;script&gt;" in text
    assert "listing-03 <script>" not in text


def test_two_builds_are_equal_byte_for_byte_and_the_second_draws_nothing(built, tmp_path):
    folder, _ = built
    again = build(example_frames(), folder)
    assert (again.charts_drawn, again.charts_kept) == (0, len(CHARTS))
    elsewhere = tmp_path / "site"
    build(example_frames(), elsewhere)
    assert content(folder) == content(elsewhere)


@pytest.mark.usefixtures("without_drawing")
def test_only_charts_whose_data_changed_are_drawn_again(tmp_path):
    frames = example_frames()
    build(frames, tmp_path / "site")
    frames["mart.token_demand"] = frames["mart.token_demand"].with_columns(pl.col("tokens_per_person_day") * 2)
    again = build(frames, tmp_path / "site")
    assert (again.charts_drawn, again.charts_kept) == (1, len(CHARTS) - 1)


@pytest.mark.usefixtures("without_drawing")
def test_a_chart_whose_file_is_gone_is_drawn_again(tmp_path):
    build(example_frames(), tmp_path / "site")
    (tmp_path / "site" / "charts" / "headline.svg").unlink()
    assert build(example_frames(), tmp_path / "site").charts_drawn == 1


@pytest.mark.usefixtures("without_drawing")
def test_a_changed_licence_draws_the_charts_of_its_source_again(tmp_path):
    frames = example_frames()
    build(frames, tmp_path / "site")
    is_un = pl.col("source") == "united_nations"
    frames["core.source"] = frames["core.source"].with_columns(
        attribution=pl.when(is_un).then(pl.lit("changed")).otherwise("attribution")
    )
    assert build(frames, tmp_path / "site").charts_drawn == 2


@pytest.mark.usefixtures("without_drawing")
def test_an_empty_database_gives_a_site_that_says_no_data(tmp_path):
    summary = build({}, tmp_path / "site")
    assert summary.charts_drawn == 0
    text = (tmp_path / "site" / "index.html").read_text()
    assert text.count("No data:") == 3
    assert "vega.js" not in text


@pytest.mark.usefixtures("without_drawing")
@pytest.mark.parametrize("table", REQUIRED_TABLES)
def test_no_missing_table_breaks_the_site(table, tmp_path):
    frames = example_frames()
    frames.pop(table, None)
    assert build(frames, tmp_path / "site").pages == 12


@pytest.mark.usefixtures("without_drawing")
def test_a_failure_leaves_the_old_site_as_it_was(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    build(example_frames(), folder)
    before = content(folder)
    frames = example_frames()
    frames["mart.scale_payback"] = frames["mart.scale_payback"].drop("payback_years")
    with pytest.raises(ValueError, match=r"mart\.scale_payback: missing columns \['payback_years'\]"):
        build(frames, folder)
    monkeypatch.setattr(site, "render_page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(example_frames(), folder)
    assert content(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.usefixtures("without_drawing")
def test_a_build_killed_between_its_renames_loses_nothing(tmp_path):
    folder = tmp_path / "site"
    build(example_frames(), folder)
    folder.rename(tmp_path / ".site-old")
    assert build(example_frames(), folder).charts_drawn == 0
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.usefixtures("without_drawing")
def test_the_verdict_cards_carry_number_interval_method_and_vintage(tmp_path):
    frames = example_frames()
    build(frames, tmp_path / "site")
    text = (tmp_path / "site" / "index.html").read_text()
    for claim in frames["mart.claim_verdict"].iter_rows(named=True):
        assert claim["statement"] in text
        assert claim["sentence"] in text
    assert "<strong>14.2</strong> factor per year <span>(9.8 to 21)</span>" in text
    assert "<strong>35 %</strong> of the installed base <span>(10 % to 140 %)</span>" in text
    assert "✗ Not supported" in text
    assert "no number" in text


@pytest.mark.usefixtures("without_drawing")
def test_an_old_source_is_marked(tmp_path):
    build(example_frames(), tmp_path / "site")
    text = (tmp_path / "site" / "sql.html").read_text()
    assert "⚠ 122 days old" in text
    assert "✓ 1 days old" in text


def test_a_page_that_names_an_unknown_chart_is_refused(tmp_path):
    (tmp_path / "wrong.toml").write_text(
        'title="t"\nnav="n"\norder=1\ndescription="d"\nlead="l"\n[[section]]\nchart="nonsense"\n'
    )
    with pytest.raises(ValueError, match=r"wrong\.toml: unknown keys, charts or parts \['nonsense'\]"):
        pages.read_pages(tmp_path)


def test_every_chart_stands_on_its_page():
    shown = {
        (section["chart"], page.name)
        for page in pages.read_pages(DASHBOARDS)
        for section in page.sections
        if "chart" in section
    }
    assert shown == {(spec.name, spec.page) for spec in CHARTS}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.1, "0.1"),
        (1234.5, "1,234"),
        (1e-7, "0.0000001"),
        (2e12, "2,000,000,000,000"),
        (12.3456, "12.35"),
        (100, "100"),
        (0, "0"),
    ],
)
def test_numbers_have_no_exponent(amount, text):
    assert number(amount) == text


def test_cells_are_escaped_and_unknown_is_a_dash():
    assert cell("<b>") == "&lt;b&gt;"
    assert "–" in cell(None)
    assert cell(True) == "yes"
    assert cell("https://example.org/a?b=1&c=2") == '<a href="https://example.org/a?b=1&amp;c=2">example.org</a>'


def test_prose_knows_code_and_links_only():
    assert (
        inline_text("see `mart.x` and [this](a.html) <b>")
        == 'see <code>mart.x</code> and <a href="a.html">this</a> &lt;b&gt;'
    )
    assert prose("one\nline\n\ntwo") == "<p>one line</p>\n<p>two</p>"


def test_a_long_table_says_where_the_rest_is():
    text = table(
        pl.DataFrame({"a": range(100)}), {"a": "A"}, caption="Many", full="The [CSV](x.csv) holds all of them."
    )
    assert "The first 40 of 100 rows." in text
    assert text.count("<tr>") == 41


def test_a_picture_has_a_palette_that_keeps_its_colours(tmp_path):
    svg = tmp_path / "two.svg"
    svg.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="#fff"/>'
        '<rect width="10" height="10" fill="#0068a8"/></svg>'
    )
    write_png(svg)
    with Image.open(tmp_path / "two.png") as picture:
        assert picture.mode == "P"
        shown = picture.convert("RGB")
        assert shown.getpixel((5, 5)) == (0, 0x68, 0xA8)
        assert shown.getpixel((15, 5)) == (255, 255, 255)


def test_the_fingerprint_knows_titles_and_sources():
    spec = CHARTS[0]
    prepared = spec.prepare(example_frames())
    first = site.fingerprint(spec, prepared, "a")
    assert first != site.fingerprint(spec, prepared, "b")
    assert first != site.fingerprint(replace(spec, title="other"), prepared, "a")
    assert first == site.fingerprint(spec, prepared, "a")
