"""What a user with SQL finds in the published database: the contract, known facts, macros, examples."""

import re
from datetime import date

import duckdb
import polars as pl
import pytest

from pipelines import paths
from pipelines.analysis.price_decline import score_controlled_trend
from pipelines.warehouse.connection import open_published

# The first columns of the tables that users build on, in order. New ones may follow; none of these may change.
CONTRACT = {
    "core.listing": """
        listing_id VARCHAR, provider VARCHAR, source_model_id VARCHAR, ai_model_id VARCHAR, developer VARCHAR,
        snapshot VARCHAR, variant VARCHAR""",
    "core.price_event": """
        provider VARCHAR, listing_id VARCHAR, ai_model_id VARCHAR, meter VARCHAR, tier_min_tokens BIGINT,
        usd_per_mtok DECIMAL(18.9), unit VARCHAR, amount_original VARCHAR, currency VARCHAR, valid_from DATE,
        valid_to DATE, known_from TIMESTAMP, known_to TIMESTAMP, date_kind VARCHAR, source VARCHAR,
        confidence VARCHAR, snapshot_sha256 VARCHAR""",
    "mart.price_frontier": """
        axis VARCHAR, threshold DOUBLE, series VARCHAR, date DATE, usd_per_mtok DECIMAL(18.9), ai_model_id VARCHAR,
        provider VARCHAR""",
    "mart.decline_fit": """
        fit_id VARCHAR, axis VARCHAR, threshold DOUBLE, estimator VARCHAR, sample VARCHAR, price_basis VARCHAR,
        window_from DATE, window_to DATE, factor_per_year DOUBLE, ci_low DOUBLE, ci_high DOUBLE, level DOUBLE,
        n_rows BIGINT, n_models BIGINT, flags VARCHAR""",
    "mart.experience_fit": """
        technology VARCHAR, estimator VARCHAR, learning_rate DOUBLE, ci_low DOUBLE, ci_high DOUBLE,
        annual_decline DOUBLE, doublings DOUBLE, identification VARCHAR""",
    "mart.capacity_coverage": """
        as_of DATE, scenario VARCHAR, reading VARCHAR, accelerators_needed DOUBLE, installed DOUBLE,
        share_low DOUBLE, share_central DOUBLE, share_high DOUBLE""",
    "mart.claim_verdict": """
        claim_id VARCHAR, verdict VARCHAR, value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, unit VARCHAR, method VARCHAR,
        vintage DATE, sentence VARCHAR""",
}
EXAMPLES = sorted((paths.SQL / "examples").glob("*.sql"))


def rows(connection, sql, *parameters):
    return connection.execute(sql, list(parameters)).fetchall()


@pytest.mark.parametrize("table", CONTRACT)
def test_public_columns_keep_name_type_and_place(answers, table):
    promised = [tuple(column.split()) for column in CONTRACT[table].replace("(18.9)", "(18;9)").split(",")]
    promised = [(name, kind.replace(";", ",")) for name, kind in promised]
    found = [row[:2] for row in rows(answers, f"describe {table}")]
    assert found[: len(promised)] == promised


def test_every_published_column_and_table_is_commented(answers):
    bare = rows(
        answers,
        """
        select schema_name || '.' || table_name, column_name from duckdb_columns()
        where not internal and coalesce(comment, '') = ''
        union all
        select schema_name || '.' || table_name, null from duckdb_tables() where coalesce(comment, '') = ''
        """,
    )
    assert bare == []


def test_no_listing_has_two_prices_on_one_day(answers):
    history = answers.sql(
        """
        select listing_id, meter, tier_min_tokens, source, valid_from, valid_to
        from core.price_event
        where known_to is null
        """
    ).pl()
    place = ["listing_id", "meter", "tier_min_tokens", "source"]
    ordered = history.with_columns(
        pl.col("valid_from").fill_null(date(1, 1, 1)), pl.col("valid_to").fill_null(date(9999, 12, 31))
    ).sort(*place, "valid_from")
    assert ordered.filter(pl.col("valid_from") >= pl.col("valid_to")).height == 0
    overlapping = ordered.filter(pl.col("valid_to") > pl.col("valid_from").shift(-1).over(place))
    assert overlapping.height == 0, overlapping
    assert ordered.height > 5_000


@pytest.mark.parametrize(
    ("listing", "day", "price_in", "price_out"),
    [
        ("openai/gpt-4-0314", "2023-03-14", 30.0, 60.0),
        # Google's page of today says 0.075 and 0.30, and its launch page said otherwise.
        ("google/gemini-1.5-flash-001", "2024-05-14", 0.35, 1.05),
        ("google/gemini-1.5-flash-001", "2024-08-11", 0.35, 1.05),
        ("google/gemini-1.5-flash-001", "2024-08-12", 0.075, 0.30),
        ("deepseek/DeepSeek-R1", "2025-01-20", 0.55, 2.19),
    ],
)
def test_known_prices_on_known_days(answers, listing, day, price_in, price_out):
    found = rows(
        answers,
        "select meter, usd_per_mtok::double from price_asof(?) where listing_id = ? and tier_min_tokens = 0"
        " and meter in ('input', 'output') order by meter",
        day,
        listing,
    )
    assert found == [("input", price_in), ("output", price_out)]


@pytest.mark.parametrize(
    ("listing", "launch"), [("openai/gpt-4-0314", "2023-03-14"), ("deepseek/DeepSeek-R1", "2025-01-20")]
)
def test_a_launch_is_no_earlier_than_it_was(answers, listing, launch):
    first = rows(
        answers,
        "select min(valid_from), arg_min(date_kind, valid_from) from core.price_event where listing_id = ?",
        listing,
    )

    assert first == [(date.fromisoformat(launch), "launch")]
    assert rows(answers, "select * from price_asof(?::date - 1) where listing_id = ?", launch, listing) == []


def test_nobody_sold_gemini_flash_at_the_later_price_from_its_launch(answers):
    early = rows(
        answers,
        """
        select listing_id, meter, usd_per_mtok
        from core.price_event
        where ai_model_id ilike 'gemini-1.5-flash%' and ai_model_id not ilike '%8b%'
            and valid_from < '2024-08-12' and meter = 'input' and usd_per_mtok < 0.35
        """,
    )
    assert early == []


@pytest.mark.parametrize(
    ("technology", "low", "high"),
    [("Solar PV modules", 0.22, 0.24), ("Transistors", 0.40, 0.45), ("DRAM", 0.35, 0.40)],
)
def test_learning_rates_are_those_of_the_literature(answers, technology, low, high):
    ((rate, ci_low, ci_high),) = rows(
        answers,
        "select learning_rate, ci_low, ci_high from mart.experience_fit"
        " where technology = ? and estimator = 'wright_trend:published'",
        technology,
    )
    assert low <= rate <= high
    assert ci_low < rate < ci_high


@pytest.mark.parametrize(("reading", "millions"), [("fleet_day", 0.889), ("in_out_total", 0.192)])
def test_accelerators_needed_in_2025(answers, reading, millions):
    ((needed,),) = rows(
        answers,
        "select arg_max(accelerators_needed, as_of) from mart.capacity_coverage"
        " where scenario = 'v3_r1_class' and reading = ? and year(as_of) = 2025",
        reading,
    )
    assert needed / 1e6 == pytest.approx(millions, abs=0.0005)


def test_announced_prices_are_no_price_events(answers):
    assert rows(answers, "select count(*) > 0 from core.announced_price") == [(True,)]
    newest = "(select max(vintage_date) from core.source)"
    assert rows(answers, f"select count(*) from core.price_event where valid_from > {newest}") == [(0,)]
    kinds = {kind for (kind,) in rows(answers, "select distinct date_kind from core.price_event")}
    assert kinds == {"launch", "list_change", "observed"}
    shared = """
        select announced.listing_id
        from core.announced_price as announced
        inner join core.price_event as event
            on event.listing_id = announced.listing_id
            and event.meter = announced.meter
            and event.tier_min_tokens = announced.tier_min_tokens
            and event.source = announced.source
            and event.valid_from = announced.announced_for
    """
    assert rows(answers, shared) == []


@pytest.mark.parametrize(
    ("axis", "transform", "low", "high"),
    [("mmlu", "logit", 7, 11), ("gpqa", "logit", 14, 24), ("eci", "latent", 11, 18)],
)
def test_the_trend_of_all_curated_offers_is_what_was_found_by_hand(answers, axis, transform, low, high):
    offers = answers.sql(
        """
        select ai_model_id as ai_model, developer, valid_from as date, usd_per_mtok, score
        from mart.scored_offer
        where axis = $axis and source = 'reference' and usd_per_mtok > 0 and valid_from <= '2026-08-22'
        """,
        params={"axis": axis},
    ).pl()
    fit = score_controlled_trend(offers, sample="all", transform=transform)
    assert low < fit.estimate < high
    assert fit.ci_low < fit.estimate < fit.ci_high


def test_the_headline_is_one_row_and_is_what_the_verdict_says(answers):
    headline = rows(answers, "select factor_per_year, ci_low, ci_high from mart.decline_fit where is_headline")
    assert headline == rows(
        answers, "select value, ci_low, ci_high from mart.claim_verdict where claim_id = 'price_decline'"
    )
    assert len(headline) == 1


@pytest.mark.parametrize(
    ("claim", "written"),
    [
        ("price_decline", "{:.1f}".format),
        ("serving_capacity", lambda share: f"{100 * share:.0f}"),
        ("learning_curve", lambda share: f"{100 * share:.0f}"),
        ("scale_wins", "{:.1f}".format),
    ],
)
def test_a_verdict_says_its_number_and_interval_in_words(answers, claim, written):
    ((verdict, value, ci_low, ci_high, sentence),) = rows(
        answers,
        "select verdict, value, ci_low, ci_high, sentence from mart.claim_verdict where claim_id = ?",
        claim,
    )
    assert verdict in ("supported", "mixed", "not_supported", "cannot_tell")
    assert ci_low <= value <= ci_high
    numbers = re.findall(r"[\d.,]*\d", sentence)
    for number in (value, ci_low, ci_high):
        assert written(number) in numbers
    assert sentence.endswith(".")


def test_verdicts_are_complete(answers):
    assert rows(answers, "select count(*), count(distinct claim_id) from mart.claim_verdict") == [(4, 4)]
    assert rows(answers, "select count(*) from mart.claim_verdict where trim(sentence) = '' or trim(unit) = ''") == [
        (0,)
    ]


def test_price_asof_and_price_known_agree_about_today(answers):
    day = "2025-06-01"
    asof = rows(answers, "select count(*), sum(usd_per_mtok) from price_asof(?)", day)
    assert asof == rows(answers, "select count(*), sum(usd_per_mtok) from price_known(?)", day)
    assert asof[0][0] > 300


def test_price_known_goes_back_to_what_was_known(answers):
    ((first,),) = rows(answers, "select min(known_from) from core.price_event")
    assert rows(answers, "from price_known('2026-11-20', as_known := ?::timestamp - interval 1 second)", first) == []
    known = rows(answers, "select distinct known_from from price_known('2026-11-20', as_known := ?)", first)
    assert known == [(first,)]


def test_cheapest_at_returns_the_cheapest_that_is_good_enough(answers):
    for axis, level, day in (("gpqa", 50, "2026-01-01"), ("mmlu", 86, "2023-06-01")):
        ((model, price, score),) = rows(
            answers, "select ai_model_id, usd_per_mtok, score from cheapest_at(?, ?, ?)", axis, level, day
        )
        assert score >= level
        cheaper = rows(
            answers,
            "select ai_model_id from mart.scored_offer where axis = ? and score >= ? and usd_per_mtok > 0"
            " and usd_per_mtok < ? and valid_from <= ?::date and coalesce(valid_to, '9999-12-31') > ?::date",
            axis,
            level,
            price,
            day,
            day,
        )
        assert cheaper == [], model
    # In June 2023 nothing but GPT-4 was that good.
    assert model == "gpt-4-0314"


def test_blend_weighs_three_to_one_unless_told(answers):
    (blends,) = rows(answers, "select blend(30, 60)::double, blend(30, 60, input_weight := 0.5)::double")
    assert blends == (37.5, 45.0)


def test_there_are_examples():
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_its_question_and_is_answered(answers, path):
    text = path.read_text(encoding="utf-8")
    comment = re.match(r"\A(?:--[^\n]*\n)+", text)
    assert comment is not None
    assert "?" in comment.group(), "the leading comment should be the question"
    relation = answers.sql(text)
    assert relation is not None
    assert relation.fetchall(), "an example should return at least one row"


def test_the_published_database_opens_twice_in_one_process_and_stays_shut_to_files(built, answers):
    with open_published(built.home.published_database) as second:
        assert rows(second, "select count(*) from mart.claim_verdict") == rows(
            answers, "select count(*) from mart.claim_verdict"
        )
        for statement in (
            "select * from read_csv('/etc/hostname')",
            "attach '/tmp/other.duckdb'",
            "set enable_external_access = true",
            "delete from mart.claim_verdict",
        ):
            with pytest.raises(duckdb.Error):
                second.execute(statement)
