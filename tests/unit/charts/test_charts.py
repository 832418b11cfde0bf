import json
from datetime import date

import polars as pl
import pytest
import vl_convert
from example_frames import example_frames

from pipelines.charts import theme
from pipelines.charts.registry import BY_NAME, CHARTS
from pipelines.charts.spec import NoDataError, Prepared

FRAMES = example_frames()
EACH = pytest.mark.parametrize("spec", CHARTS, ids=lambda spec: spec.name)


def marks(spec_tree, kind):
    """Layers of one kind of mark."""
    return [layer for layer in spec_tree["layer"] if layer["mark"]["type"] == kind]


@EACH
def test_a_chart_is_valid_and_inside_its_budget(spec):
    prepared = spec.prepare(FRAMES)
    tree = spec.draw(prepared).to_dict(validate=True)
    assert tree["layer"]
    assert prepared.rows.height > 0
    assert set(spec.table_columns) - set(prepared.rows.columns) == set()


@EACH
def test_alt_text_is_a_sentence_without_gaps(spec):
    text = spec.prepare(FRAMES).alt_text
    assert text.endswith(".")
    assert "None" not in text
    assert "nan" not in text
    assert "e+" not in text


@EACH
@pytest.mark.parametrize("make_empty", [lambda _: None, lambda frame: frame.clear()], ids=["missing", "empty"])
def test_a_chart_without_its_first_table_says_so(spec, make_empty):
    frames = dict(FRAMES)
    emptied = make_empty(frames.pop(spec.tables[0]))
    if emptied is not None:
        frames[spec.tables[0]] = emptied
    with pytest.raises(NoDataError, match=spec.tables[0].replace(".", r"\.")):
        spec.prepare(frames)


@EACH
def test_a_missing_column_is_named(spec):
    table = spec.tables[0]
    column = "axis" if "axis" in FRAMES[table].columns else FRAMES[table].columns[1]
    if table in {"core.gpu_rental_price", "core.experience_point"}:
        column = "provider" if "provider" in FRAMES[table].columns else "unit_price"
    if table == "mart.price_offer":
        column = "developer"
    with pytest.raises(ValueError, match=f"{table}: missing columns \\['{column}'\\]"):
        spec.prepare({**FRAMES, table: FRAMES[table].drop(column)})


@EACH
def test_rows_in_another_order_are_the_same_chart(spec):
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=7) for name, frame in FRAMES.items()}
    assert spec.prepare(FRAMES).fingerprint() == spec.prepare(shuffled).fingerprint()


def test_a_withdrawn_offer_is_a_gap_and_not_a_price():
    steps = BY_NAME["frontier_eci"].prepare(FRAMES).layers["steps"]
    gaps = steps.filter(pl.col("usd").is_null())
    assert gaps.height > 0
    assert gaps["ai_model"].unique().to_list() == ["none"]
    assert steps.filter(pl.col("usd") <= 0).is_empty()


def test_the_last_step_reaches_the_newest_day():
    steps = BY_NAME["frontier_mmlu"].prepare(FRAMES).layers["steps"]
    newest = FRAMES["mart.price_frontier"]["date"].max()
    assert steps.group_by("level").agg(pl.col("date").max())["date"].unique().to_list() == [newest]


def test_the_drift_band_opens_from_the_first_price():
    prepared = BY_NAME["headline"].prepare(FRAMES)
    first, last = prepared.layers["bands"].sort("date").rows(named=True)
    assert first["low"] == first["high"]
    assert last["low"] < last["high"] < first["high"]


def test_a_rising_price_is_inside_an_interval_that_allows_it():
    fits = FRAMES["mart.decline_fit"].with_columns(ci_low=pl.when(pl.col("estimator") == "frontier_drift").then(0.5))
    bands = BY_NAME["headline"].prepare({**FRAMES, "mart.decline_fit": fits}).layers["bands"].sort("date")
    assert bands["high"][1] > bands["high"][0]


def test_the_headline_is_gpt_4_and_not_gpt_4o():
    assert BY_NAME["headline"].prepare(FRAMES).pick == ("level", ("GPT-4",))


def test_the_headline_takes_the_axis_that_decides_the_claim():
    fits = FRAMES["mart.decline_fit"].with_columns(is_headline=pl.col("axis") == "gpqa")
    text = BY_NAME["headline"].prepare({**FRAMES, "mart.decline_fit": fits}).alt_text
    assert "GPQA Diamond" in text


@pytest.mark.parametrize("name", ["shipments", "installed_base"])
def test_bands_hold_their_centre(name):
    drawn = BY_NAME[name].prepare(FRAMES).layers["drawn"].drop_nulls("low")
    assert drawn.height > 0
    assert drawn.filter((pl.col("low") > pl.col("central")) | (pl.col("central") > pl.col("high"))).is_empty()


def test_shipments_take_the_range_of_units_and_add_chips():
    rows = BY_NAME["shipments"].prepare(FRAMES).rows
    row = rows.row(by_predicate=(pl.col("designer") == "NVIDIA") & (pl.col("period") == "2022Q1"), named=True)
    assert row["central"] == pytest.approx(900_000 * 1.4 / 20)
    assert row["low"] == pytest.approx(0.8 * row["central"])
    assert row["chips"] == 2


def test_a_designer_without_ranges_has_no_band():
    rows = BY_NAME["shipments"].prepare(FRAMES).rows.filter(pl.col("designer") == "Huawei")
    assert rows["low"].null_count() == rows.height


def test_a_published_total_is_not_added_to_its_chips():
    shipped = FRAMES["core.accelerator_shipment"]
    total = shipped.filter(pl.col("chip") == "new chip").with_columns(chip=pl.lit("ALL"))
    rows = BY_NAME["shipments"].prepare({"core.accelerator_shipment": pl.concat([shipped, total])}).rows
    assert rows["chips"].unique().to_list() == [1]


def test_quarters_that_are_not_over_are_marked():
    rows = BY_NAME["shipments"].prepare(FRAMES).rows
    assert rows.filter(pl.col("state") == "period not over")["period"].unique().to_list() == ["2026Q3"]


def test_a_warned_fit_is_grey_and_the_headline_is_not():
    rows = BY_NAME["decline_record_low_trend"].prepare(FRAMES).rows
    assert rows["status"].unique().to_list() == ["carries a warning"]
    assert "decides the claim" in BY_NAME["decline_score_controlled_trend"].prepare(FRAMES).rows["status"].to_list()


def test_a_fit_without_an_interval_says_none():
    rows = BY_NAME["decline_record_low_trend"].prepare(FRAMES).rows
    assert rows.filter(pl.col("ci_low").is_null())["interval"].unique().to_list() == ["none"]


def test_every_estimator_is_drawn_on_the_same_scale():
    ends = {
        tuple(BY_NAME[f"decline_{name}"].prepare(FRAMES).layers["ends"].row(0))
        for name in ("frontier_drift", "record_low_trend")
    }
    assert len(ends) == 1


def test_indices_are_points_without_a_line():
    tree = BY_NAME["rental_indices"].build(FRAMES).to_dict()
    assert marks(tree, "line") == []
    assert marks(BY_NAME["rental_on_demand"].build(FRAMES).to_dict(), "line")


def test_many_rents_are_gathered_by_quarter():
    many = pl.DataFrame(
        {
            "date": [date(2020 + month // 12, month % 12 + 1, 5) for month in range(72)] * 30,
            "provider": [f"provider {number}" for number in range(30) for _ in range(72)],
            "gpu": ["H100 SXM"] * 2160,
            "chip": ["H100"] * 2160,
            "pricing": ["on_demand"] * 2160,
            "usd_per_gpu_hour": [2.0] * 2160,
            "source_url": [None] * 2160,
        },
        schema_overrides={"source_url": pl.String},
    )
    assert BY_NAME["rental_on_demand"].prepare({"core.gpu_rental_price": many}).rows.height == 720


def test_a_year_without_a_price_is_left_out_of_a_curve():
    rows = BY_NAME["experience_curves"].prepare(FRAMES).rows
    assert 1978 not in rows["year"].to_list()
    assert rows.group_by("technology").first()["price_ratio"].unique().to_list() == [1.0]


def test_curves_say_when_production_cannot_be_told_from_time():
    rows = BY_NAME["experience_curves"].prepare(FRAMES).rows
    verdicts = dict(rows.select("technology", "verdict").unique().iter_rows())
    assert verdicts["DRAM"] == "can be told apart from time"
    assert verdicts["Transistor"] == "cannot be told apart from time"


def test_the_claimed_tokens_come_from_the_table():
    assert BY_NAME["token_demand"].prepare(FRAMES).layers["claim"]["at"].to_list() == [10_000]


def test_a_free_model_is_not_drawn_on_a_log_axis():
    rows = BY_NAME["list_prices"].prepare(FRAMES).rows
    assert rows["ai_model_id"].n_unique() == 12
    assert "example-model-15" not in rows["ai_model_id"].to_list()


def test_too_many_rows_are_refused():
    with pytest.raises(ValueError, match="3000 rows, this one has 3001"):
        Prepared(pl.DataFrame({"a": range(3001)}), "Too many.")


def test_floats_are_rounded_in_the_spec():
    spec = json.dumps(BY_NAME["frontier_eci"].build(FRAMES).to_dict())
    digits = max(
        len(word.strip("0").replace(".", ""))
        for word in spec.split('"')[-2].split(",")
        if word.replace(".", "").isdigit()
    )
    assert digits <= 8


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1.5, 9, [2, 3, 4, 5, 6, 7, 8, 9]), (0.05, 30, [0.1, 0.3, 1, 3, 10, 30]), (1e-8, 2, [1e-8, 1e-6, 1e-4, 1e-2, 1])],
)
def test_log_axes_have_few_and_round_ticks(low, high, expected):
    assert theme.log_ticks(low, high) == pytest.approx(expected)


def _luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("background", "colours"),
    [
        (theme.LIGHT_BACKGROUND, (*theme.LIGHT_COLOURS, theme.GREY)),
        (theme.DARK_BACKGROUND, (*theme.DARK_COLOURS, theme.GREY)),
    ],
)
def test_colours_stand_out_from_their_background(background, colours):
    paper = _luminance(background)
    for colour in colours:
        ink = _luminance(colour)
        assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) >= 3, colour


def test_legend_symbols_do_not_inherit_the_opacity_of_bands():
    assert theme.config(is_dark=True)["legend"]["symbolOpacity"] == 1


@EACH
def test_a_click_on_a_legend_entry_reaches_its_selection(spec):
    prepared = spec.prepare(FRAMES)
    if prepared.pick is None or len(prepared.pick[1]) < 2:
        pytest.skip("nothing to select")
    vega = vl_convert.vegalite_to_vega(json.dumps(spec.draw(prepared).to_dict()), vl_version="6.1")
    entries = [legend["encode"].get("entries", {}).get("name") for legend in vega["legends"]]
    assert f"{prepared.pick[0]}_legend_entries" in entries
