import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.analysis.price_decline import (
    frontier_drift,
    is_pareto_on_date,
    record_low_trend,
    score_controlled_trend,
)

START = date(2023, 1, 1)


def records(days, prices):
    return pl.DataFrame({"date": [START + timedelta(days=d) for d in days], "usd_per_mtok": prices})


def months(prices, year=2023):
    return pl.DataFrame(
        {"date": [date(year + i // 12, i % 12 + 1, 1) for i in range(len(prices))], "usd_per_mtok": prices}
    )


def observations(n=80, seed=0, noise=0.3, developers=15):
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 1200, n)
    score = np.clip(30 + days / 40 + rng.normal(0, 15, n), 1, 99)
    logit = np.log(score / (100 - score))
    ln_usd = 1 + 0.8 * logit - math.log(10) * days / 365.25 + rng.normal(0, noise, n)
    return pl.DataFrame(
        {
            "ai_model": [f"m{i}" for i in range(n)],
            "developer": [f"d{i % developers}" for i in range(n)],
            "date": [START + timedelta(days=int(d)) for d in days],
            "usd_per_mtok": np.exp(ln_usd),
            "score": score,
            "open_weights": [i % 3 == 0 for i in range(n)],
        }
    )


def same(one, other):
    assert other.estimate == pytest.approx(one.estimate)
    assert other.ci_low == pytest.approx(one.ci_low)
    assert other.ci_high == pytest.approx(one.ci_high)
    assert other.flags == one.flags


class TestRecordLowTrend:
    def test_an_exact_tenfold_year_comes_out(self):
        fit = record_low_trend(records([0, 365, 730], [100.0, 10.0, 1.0]), year_days=365)
        assert fit.estimate == pytest.approx(10)
        assert (fit.n_rows, fit.span_days, fit.r2) == (3, 730, pytest.approx(1))
        assert fit.flags == ("few_records",)
        assert fit.first_date == START
        assert fit.unit == "factor per year"

    def test_the_year_of_the_default_is_longer(self):
        fit = record_low_trend(records([0, 365, 730], [100.0, 10.0, 1.0]))
        assert fit.params["g"] == pytest.approx(math.log(10) * 365.25 / 365)

    def test_slope_and_interval_agree_with_scipy(self):
        rng = np.random.default_rng(3)
        days = np.arange(10) * 90
        prices = np.exp(-days / 200 + rng.normal(0, 0.3, 10))
        fit = record_low_trend(records(days.tolist(), prices), level=0.8)
        line = stats.linregress(days / 365.25, np.log(prices))
        half = stats.t.ppf(0.9, 8) * line.stderr
        assert fit.estimate == pytest.approx(math.exp(-line.slope))
        assert fit.ci_low == pytest.approx(math.exp(-line.slope - half))
        assert fit.ci_high == pytest.approx(math.exp(-line.slope + half))
        assert fit.r2 == pytest.approx(line.rvalue**2)

    def test_leave_one_out_agrees_with_refits(self):
        days, prices = [0, 20, 45, 70, 90, 700], [50.0, 30.0, 29.0, 12.0, 11.0, 0.1]
        fit = record_low_trend(records(days, prices))
        factors = [
            record_low_trend(records(days[:i] + days[i + 1 :], prices[:i] + prices[i + 1 :])).estimate for i in range(6)
        ]
        assert fit.params["leave_one_out_ratio"] == pytest.approx(max(factors) / min(factors))
        assert "leverage" in fit.flags

    def test_two_records_have_no_interval(self):
        fit = record_low_trend(records([0, 100], [10.0, 1.0]))
        assert (fit.ci_low, fit.ci_high, fit.sigma) == (None, None, None)
        assert fit.flags == ("few_records", "short_span", "no_interval")

    def test_two_records_a_day_apart_overflow_but_keep_g(self):
        fit = record_low_trend(records([0, 1], [10.0, 1.0]))
        assert "overflow" in fit.flags
        assert fit.params["g"] == pytest.approx(math.log(10) * 365.25)

    def test_free_rows_are_counted(self):
        fit = record_low_trend(records([0, 400, 500, 600], [10.0, 1.0, 0.0, None]))
        assert fit.dropped == {"missing_price": 1, "zero_price": 1}
        assert fit.n_rows == 2

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(0, 900), min_size=3, max_size=8, unique=True), st.floats(0.01, 1000))
    def test_scale_and_order_of_rows_do_not_matter(self, days, scale):
        prices = [math.exp(-d / 300 + 0.1 * math.sin(d)) for d in days]
        frame = records(days, prices)
        other = frame.reverse().select("usd_per_mtok", "date").with_columns(pl.col("usd_per_mtok") * scale)
        assert record_low_trend(other).params["g"] == pytest.approx(record_low_trend(frame).params["g"])

    @pytest.mark.parametrize(
        ("frame", "message"),
        [
            (records([0, 1], [1.0, 2.0]).drop("date"), "records: missing column date"),
            (records([0, 1], [1.0, 2.0]).clear(), "records: empty"),
            (records([0, 0], [1.0, 2.0]), "records: date 2023-01-01 stands in two rows"),
            (records([0], [1.0]), "date: only one distinct date"),
            (records([0, 1], [1.0, math.nan]), "usd_per_mtok: row 1 is nan"),
            (records([0, 1], [0.0, 0.0]), "usd_per_mtok: none of 2 rows is positive"),
        ],
    )
    def test_bad_records_are_named(self, frame, message):
        with pytest.raises(ValueError, match=message):
            record_low_trend(frame)


class TestFrontierDrift:
    def test_by_hand(self):
        prices = np.exp(-np.cumsum([0.0, *([0.1, 0.3] * 6)]))
        fit = frontier_drift(months(prices))
        spread = np.std([0.1, 0.3] * 6, ddof=1)
        half = stats.t.ppf(0.95, 11) * 12 * spread / math.sqrt(12)
        assert fit.params["g"] == pytest.approx(12 * 0.2)
        assert fit.ci_low == pytest.approx(math.exp(2.4 - half))
        assert fit.ci_high == pytest.approx(math.exp(2.4 + half))
        assert (fit.n_rows, fit.params["m"], fit.sigma, fit.flags) == (13, 12, pytest.approx(spread), ())

    def test_a_step_series_is_made_monthly_inside(self):
        step = pl.DataFrame({"date": [date(2023, 2, 15), date(2023, 1, 1)], "usd_per_mtok": [5.0, 10.0]})
        fit = frontier_drift(step, last=date(2023, 5, 20))
        assert fit.params["mu"] == pytest.approx(math.log(0.5) / 4)
        assert fit.last_date == date(2023, 5, 1)
        assert fit.flags == ("short_series", "no_interval")
        assert (fit.ci_low, fit.ci_high) == (None, None)

    def test_a_gap_is_not_bridged(self):
        prices = [8.0, 4.0, None, 2.0, 1.0]
        fit = frontier_drift(months(prices))
        assert fit.params["m"] == 2
        assert fit.params["mu"] == pytest.approx(-math.log(2))
        assert "gaps" in fit.flags
        assert fit.dropped == {"missing_price": 1}

    def test_a_frontier_that_never_moves_has_no_interval(self):
        fit = frontier_drift(months([2.0] * 20))
        assert (fit.estimate, fit.ci_low, fit.ci_high) == (1.0, None, None)
        assert fit.flags == ("no_variation", "no_interval")

    def test_one_difference_has_no_spread(self):
        fit = frontier_drift(months([2.0, 1.0]))
        assert fit.sigma is None
        assert fit.params["K"] is None

    def test_scale_does_not_matter(self):
        prices = np.exp(-np.cumsum(np.random.default_rng(1).exponential(0.2, 30)))
        same(frontier_drift(months(prices)), frontier_drift(months(prices * 7).reverse()))

    def test_coverage_is_near_nominal_on_a_random_walk(self):
        rng = np.random.default_rng(5)
        walks = np.exp(np.cumsum(rng.normal(-math.log(10) / 12, 0.3, (120, 25)), axis=1))
        fits = [frontier_drift(months(walk)) for walk in walks]
        assert 0.8 < np.mean([f.ci_low < 10 < f.ci_high for f in fits]) < 0.98

    @pytest.mark.parametrize(
        ("frame", "message"),
        [
            (months([1.0, 2.0]).drop("usd_per_mtok"), "series: missing column usd_per_mtok"),
            (months([1.0]), "series: date has no two adjacent month starts"),
            (months([1.0, None, 2.0]), "series: date has no two adjacent month starts"),
            (records([0, 0], [1.0, 2.0]), "series: date 2023-01-01 stands in two rows"),
        ],
    )
    def test_bad_series_are_named(self, frame, message):
        with pytest.raises(ValueError, match=message):
            frontier_drift(frame)


class TestScoreControlledTrend:
    def test_agrees_with_the_statsmodels_formula(self):
        frame = observations()
        fit = score_controlled_trend(frame, sample="all")
        table = frame.with_columns(years=pl.col("date").to_physical() / 365.25).to_pandas()
        formula = "np.log(usd_per_mtok) ~ np.log(score / (100 - score)) + years"
        hc3 = smf.ols(formula, table).fit(cov_type="HC3", use_t=True)
        codes = np.unique(table["developer"], return_inverse=True)[1]
        cr1 = smf.ols(formula, table).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
        assert fit.params["g"] == pytest.approx(-hc3.params["years"])
        assert fit.params["se_hc3"] == pytest.approx(hc3.bse["years"])
        assert fit.params["se_cr1"] == pytest.approx(cr1.bse["years"])
        low, high = np.exp(-np.asarray(cr1.conf_int(0.1))[2][::-1])
        assert fit.params["ci_cr1"] == (pytest.approx(low), pytest.approx(high))
        low, high = np.exp(-np.asarray(hc3.conf_int(0.1))[2][::-1])
        assert fit.params["ci_hc3"] == (pytest.approx(low), pytest.approx(high))
        assert fit.r2 == pytest.approx(hc3.rsquared)
        assert (fit.n_rows, fit.n_models, fit.n_clusters) == (80, 80, 15)

    def test_the_wider_interval_stands(self):
        for seed in range(6):
            fit = score_controlled_trend(observations(seed=seed), sample="all")
            wide, narrow = sorted((fit.params["ci_hc3"], fit.params["ci_cr1"]), key=lambda ci: ci[0] - ci[1])
            assert (fit.ci_low, fit.ci_high) == wide
            assert wide[0] <= narrow[0]
            assert fit.params[f"ci_{fit.params['standard_error']}"] == wide

    def test_a_planted_rate_is_recovered(self):
        fit = score_controlled_trend(observations(n=400, noise=0.2), sample="all")
        assert fit.estimate == pytest.approx(10, rel=0.05)
        assert fit.params["score_slope"] == pytest.approx(0.8, abs=0.05)

    def test_coverage_is_near_nominal_with_independent_errors(self):
        fits = [score_controlled_trend(observations(seed=seed), sample="all") for seed in range(60)]
        assert np.mean([f.ci_low < 10 < f.ci_high for f in fits]) > 0.8

    def test_choosing_by_price_shows_a_decline_where_there_is_none(self):
        """The guard against fitting a minimum: why `all` stands beside `pareto_on_date`."""
        rates = {"all": [], "pareto_on_date": []}
        for seed in range(30):
            rng = np.random.default_rng(seed)
            frame = observations(n=150, seed=seed).with_columns(
                usd_per_mtok=pl.Series(np.exp(rng.normal(0, 1, 150))) * (pl.col("score") / 20).exp()
            )
            for sample, estimates in rates.items():
                fit = score_controlled_trend(frame, sample=sample, transform="linear")
                estimates.append(fit.params["g"])
        assert abs(np.mean(rates["all"])) < 0.1
        assert np.mean(rates["pareto_on_date"]) > 0.2

    def test_the_logit_is_clipped(self):
        frame = observations(n=30)
        saturated = frame.with_columns(score=pl.when(pl.int_range(pl.len()) < 3).then(100.0).otherwise("score"))
        clipped = frame.with_columns(score=pl.when(pl.int_range(pl.len()) < 3).then(99.5).otherwise("score"))
        same(score_controlled_trend(saturated, sample="all"), score_controlled_trend(clipped, sample="all"))

    @pytest.mark.parametrize("transform", ["linear", "latent"])
    def test_other_transforms_take_the_score_as_it_is(self, transform):
        frame = observations(n=40).with_columns(score=pl.col("score") + 100)
        fit = score_controlled_trend(frame, sample="all", transform=transform)
        shifted = frame.with_columns(score=pl.col("score") * 2 - 500)
        same(fit, score_controlled_trend(shifted, sample="all", transform=transform))

    @pytest.mark.parametrize(("sample", "reason"), [("pareto_on_date", "dominated"), ("open", "not_open_weights")])
    def test_dropped_adds_up(self, sample, reason):
        frame = observations().with_columns(
            usd_per_mtok=pl.when(pl.int_range(pl.len()) == 0).then(0.0).otherwise("usd_per_mtok"),
            score=pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise("score"),
        )
        fit = score_controlled_trend(frame, sample=sample)
        assert fit.dropped["zero_price"] == fit.dropped["missing_score"] == 1
        assert fit.dropped[reason] > 0
        assert fit.n_rows + sum(fit.dropped.values()) == frame.height

    def test_cluster_names_a_column(self):
        frame = observations().with_columns(family=pl.col("ai_model").str.head(2))
        assert score_controlled_trend(frame, sample="all", cluster="family").n_clusters == 10

    def test_flags_of_a_thin_sample(self):
        frame = observations(n=8, developers=3, seed=2).with_columns(
            date=START + pl.duration(days=pl.int_range(pl.len()) * 20)
        )
        fit = score_controlled_trend(frame, sample="all")
        assert fit.flags == ("few_rows", "few_clusters", "short_span")

    def test_three_rows_have_no_interval(self):
        fit = score_controlled_trend(observations(n=3), sample="all")
        assert (fit.ci_low, fit.ci_high, fit.sigma) == (None, None, None)
        assert "no_interval" in fit.flags

    def test_one_cluster_leaves_hc3(self):
        fit = score_controlled_trend(observations(developers=1), sample="all")
        assert fit.params["se_cr1"] is None
        assert fit.params["standard_error"] == "hc3"
        assert (fit.ci_low, fit.ci_high) == fit.params["ci_hc3"]

    @settings(max_examples=20, deadline=None)
    @given(st.randoms(use_true_random=False), st.floats(0.01, 100))
    def test_order_and_scale_do_not_matter(self, random, scale):
        frame = observations(n=40)
        rows, columns = list(range(40)), frame.columns[:]
        random.shuffle(rows)
        random.shuffle(columns)
        shuffled = frame[rows].select(columns).with_columns(pl.col("usd_per_mtok") * scale)
        same(score_controlled_trend(frame), score_controlled_trend(shuffled))

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=20))
    def test_pareto_agrees_with_brute_force(self, rows):
        frame = pl.DataFrame(
            {
                "date": [START + timedelta(days=d) for d, _, _ in rows],
                "usd_per_mtok": [float(usd) for _, usd, _ in rows],
                "score": [float(score) for _, _, score in rows],
            }
        )
        expected = [not any(e <= d and t >= s and q <= p and (t > s or q < p) for e, q, t in rows) for d, p, s in rows]
        assert is_pareto_on_date(frame).to_list() == expected

    @pytest.mark.parametrize(
        ("spoil", "kwargs", "message"),
        [
            (lambda f: f.drop("developer"), {}, "observations: missing column developer"),
            (lambda f: f.clear(), {}, "observations: empty"),
            (
                lambda f: f.drop("open_weights"),
                {"sample": "open"},
                "observations: missing column open_weights",
            ),
            (
                lambda f: f.with_columns(open_weights=pl.lit("yes")),
                {"sample": "open"},
                "open_weights: expected booleans",
            ),
            (lambda f: f, {"cluster": "family"}, "observations: missing column family"),
            (lambda f: f, {"sample": "some"}, "sample: expected 'all'"),
            (lambda f: f, {"transform": "probit"}, "transform: expected 'logit'"),
            (lambda f: f, {"level": 1}, "level: expected a share"),
            (lambda f: f.with_columns(developer=pl.lit(None, pl.String)), {}, "developer: row 0 is null"),
            (
                lambda f: f.with_columns(score=pl.lit(50.0)),
                {"sample": "all"},
                "score: the same in all 80 rows",
            ),
            (lambda f: f.with_columns(score=pl.col("score") + 90), {"sample": "all"}, "score: ranges over"),
            (lambda f: f.with_columns(score=pl.lit(math.nan)), {}, "score: row 0 is nan"),
            (lambda f: f.with_columns(date=pl.lit(START)), {"sample": "all"}, "date: only one distinct date"),
            (lambda f: f.head(2), {"sample": "all"}, "observations: 2 rows of sample 'all'"),
            (
                lambda f: f.with_columns(score=pl.col("date").to_physical().cast(pl.Float64)),
                {"sample": "all", "transform": "linear"},
                "score: moves in step with date",
            ),
        ],
    )
    def test_bad_observations_are_named(self, spoil, kwargs, message):
        with pytest.raises(ValueError, match=message):
            score_controlled_trend(spoil(observations()), **kwargs)
