"""Planted numbers turn each verdict: no verdict is written down, each follows from the marts and claims.toml."""

import duckdb
import pytest
from running import copy_home

from pipelines import paths
from pipelines.paths import Home

_VERDICTS = (paths.SQL / "mart" / "claim_verdict.sql").read_text(encoding="utf-8")
_HEADLINE = "update mart.decline_fit set factor_per_year = {}, ci_low = {}, ci_high = {} where is_headline"
_COVERAGE = "update mart.capacity_coverage set share_low = {}, share_central = {}, share_high = {}"
_DEMAND = "update mart.token_demand set share_of_claim = {}"
_TOKENS = """
    insert into mart.experience_fit by name
    select * replace (
        'Tokens' as technology, 'tokens' as family, 'wright_trend:published' as estimator,
        '{}' as identification, {} as ci_low, {} as ci_high
    )
    from mart.experience_fit
    where technology = 'Solar PV modules' and estimator = 'wright_trend:published'
"""
_PAYBACK = (
    "update mart.scale_payback set payback_years = {} where company = 'TSMC' and confidence <> 'low'"
    " and period = (select max(period) from mart.scale_payback where company = 'TSMC')"
)

CASES = [
    # The interval against the 5 to 20 of the claim: inside, its very ends, across either end, beyond either end.
    ("price_decline", [_HEADLINE.format(10, 6, 15)], "supported"),
    ("price_decline", [_HEADLINE.format(10, 5, 20)], "supported"),
    ("price_decline", [_HEADLINE.format(10, 4.9, 15)], "mixed"),
    ("price_decline", [_HEADLINE.format(10, 6, 20.1)], "mixed"),
    ("price_decline", [_HEADLINE.format(2, 1, 4.9)], "not_supported"),
    ("price_decline", [_HEADLINE.format(30, 21, 40)], "not_supported"),
    ("price_decline", [_HEADLINE.format(10, "null", "null")], "cannot_tell"),
    ("price_decline", ["delete from mart.decline_fit where is_headline"], "cannot_tell"),
    # The same interval under another claim.
    (
        "price_decline",
        [_HEADLINE.format(10, 6, 15), "update raw.claim set supported_low = 16 where claim_id = 'price_decline'"],
        "not_supported",
    ),
    # Two halves: enough accelerators, and nobody serving as much.
    ("serving_capacity", [_COVERAGE.format(0.1, 0.3, 1), _DEMAND.format(0.49)], "supported"),
    ("serving_capacity", [_COVERAGE.format(0.1, 0.3, 1), _DEMAND.format(0.5)], "mixed"),
    ("serving_capacity", [_COVERAGE.format(0.1, 0.3, 1), _DEMAND.format(2)], "mixed"),
    ("serving_capacity", [_COVERAGE.format(0.1, 0.3, 1.1), _DEMAND.format(0.1)], "mixed"),
    ("serving_capacity", [_COVERAGE.format(0.1, 0.3, 1.1), _DEMAND.format(1)], "not_supported"),
    ("serving_capacity", [_COVERAGE.format(1.1, 2, 3), _DEMAND.format(0.1)], "not_supported"),
    ("serving_capacity", ["delete from mart.capacity_coverage"], "cannot_tell"),
    ("serving_capacity", ["delete from mart.token_demand"], "cannot_tell"),
    # Estimates and rows of low confidence are no disclosed demand.
    ("serving_capacity", ["update mart.token_demand set confidence = 'low'"], "cannot_tell"),
    ("serving_capacity", ["update mart.token_demand set kind = 'estimate'"], "cannot_tell"),
    # A learning rate of tokens, if there is one that can be told apart from time.
    ("learning_curve", [_TOKENS.format("separable", 0.05, 0.3)], "supported"),
    ("learning_curve", [_TOKENS.format("separable", -0.05, 0.3)], "mixed"),
    ("learning_curve", [_TOKENS.format("separable", -0.3, -0.01)], "not_supported"),
    ("learning_curve", [_TOKENS.format("separable", "null", "null")], "cannot_tell"),
    ("learning_curve", [_TOKENS.format("cannot_separate_from_time", 0.05, 0.3)], "cannot_tell"),
    ("learning_curve", ["delete from mart.experience_fit where family = 'tokens'"], "cannot_tell"),
    # The arithmetic can refute the claim; alone it can't prove that the rest give up.
    ("scale_wins", [_PAYBACK.format(1)], "mixed"),
    ("scale_wins", [_PAYBACK.format(5)], "mixed"),
    ("scale_wins", [_PAYBACK.format(5.1)], "not_supported"),
    ("scale_wins", [_PAYBACK.format("null")], "cannot_tell"),
    ("scale_wins", ["delete from mart.scale_payback where company = 'TSMC'"], "cannot_tell"),
]


@pytest.fixture(scope="module")
def warehouse(built, tmp_path_factory):
    home = Home(copy_home(built.home.root, tmp_path_factory.mktemp("verdicts") / "my home", parts=["data"]))
    with duckdb.connect(str(home.warehouse)) as connection:
        yield connection


@pytest.fixture
def planted(warehouse):
    warehouse.execute("begin")
    yield warehouse
    warehouse.execute("rollback")


@pytest.mark.parametrize(("claim", "changes", "verdict"), CASES)
def test_the_verdict_follows_the_numbers(planted, claim, changes, verdict):
    for change in changes:
        planted.execute(change)
    found = planted.sql(_VERDICTS).pl().rows_by_key("claim_id", named=True, unique=True)
    assert found[claim]["verdict"] == verdict
    # Every claim keeps its row and a sentence, whatever is missing.
    assert len(found) == 4
    assert all(row["sentence"].strip() for row in found.values())


def test_every_verdict_that_the_file_can_give_is_planted():
    given = {(claim, verdict) for claim, _, verdict in CASES}
    every = {"supported", "mixed", "not_supported", "cannot_tell"}
    for claim in ("price_decline", "serving_capacity", "learning_curve"):
        assert {verdict for named, verdict in given if named == claim} == every
    assert {verdict for named, verdict in given if named == "scale_wins"} == every - {"supported"}


def test_unplanted_verdicts_are_the_published_ones(warehouse, answers):
    wanted = "select claim_id, verdict, value, sentence from mart.claim_verdict order by claim_id"
    fresh = warehouse.sql(_VERDICTS).pl().sort("claim_id").select("claim_id", "verdict", "value", "sentence")
    assert fresh.rows() == answers.execute(wanted).fetchall()
