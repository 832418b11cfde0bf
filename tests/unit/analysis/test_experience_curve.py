import math

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.analysis.experience_curve import (
    moore_forecast,
    moore_trend,
    wright_forecast,
    wright_levels,
    wright_trend,
)

YEARS = np.arange(1990, 2005)


def curve(w=-0.4, stock=7.0, annual=None, noise=0.0, seed=0):
    """A technology whose price follows (stock + production before the year)^w."""
    annual = np.array([2.0, 3, 5, 8, 9, 15, 12, 30, 26, 50, 40, 90, 60, 120, 100]) if annual is None else annual
    before = stock + np.concatenate([[0], np.cumsum(annual)[:-1]])
    ln_usd = 3 + w * np.log(before) + np.random.default_rng(seed).normal(0, noise, len(annual))
    return pl.DataFrame(
        {
            "year": YEARS[: len(annual)],
            "unit_price_usd": np.exp(ln_usd),
            "annual_production": annual,
            "cumulative_production": before + annual,
            "cumulative_lagged": before,
        }
    )


class TestMoore:
    def test_by_hand(self):
        points = pl.DataFrame({"year": [2000, 2001, 2002], "unit_price_usd": np.exp([0.0, -0.2, -0.6])})
        fit = moore_trend(points)
        half = stats.t.ppf(0.95, 1) * math.sqrt(0.02) / math.sqrt(2)
        assert fit.params["mu"] == pytest.approx(-0.3)
        assert fit.params["K"] == pytest.approx(math.sqrt(0.02))
        assert fit.estimate == pytest.approx(math.exp(0.3))
        assert (fit.ci_low, fit.ci_high) == (
            pytest.approx(math.exp(0.3 - half)),
            pytest.approx(math.exp(0.3 + half)),
        )
        assert (fit.span_days, fit.flags) == (731, ())

    def test_only_adjacent_years_are_differenced(self):
        points = pl.DataFrame({"year": [2000, 2001, 2005, 2006], "unit_price_usd": [8.0, 4.0, 100.0, 50.0]})
        fit = moore_trend(points)
        assert fit.params["m"] == 2
        assert fit.estimate == pytest.approx(2)
        assert fit.flags == ("missing_years",)

    def test_a_planted_drift_is_recovered(self):
        steps = np.random.default_rng(0).normal(-0.15, 0.1, 400)
        points = pl.DataFrame({"year": np.arange(1500, 1901), "unit_price_usd": np.exp(np.cumsum([9, *steps]))})
        fit = moore_trend(points)
        assert fit.ci_low < math.exp(0.15) < fit.ci_high
        assert fit.params["K"] == pytest.approx(0.1, rel=0.1)

    def test_one_difference_has_no_interval(self):
        fit = moore_trend(pl.DataFrame({"year": [2000, 2001], "unit_price_usd": [2.0, 1.0]}))
        assert (fit.estimate, fit.ci_low, fit.flags) == (pytest.approx(2), None, ("no_interval",))
        with pytest.raises(ValueError, match="K is missing"):
            moore_forecast(fit, [1])

    def test_forecast_follows_the_formula(self):
        fit = moore_trend(curve(noise=0.1))
        m, spread, mu = fit.params["m"], fit.params["K"], fit.params["mu"]
        plain = moore_forecast(fit, [1, 4])
        assert plain["sd"].to_list() == pytest.approx([spread * math.sqrt(t + t * t / m) for t in (1, 4)])
        last = curve(noise=0.1)["unit_price_usd"][-1]
        assert plain["unit_price_usd"].to_list() == pytest.approx([last * math.exp(mu * t) for t in (1, 4)])
        q = stats.t.ppf(0.95, m - 1)
        assert (plain["high"] / plain["low"]).log().to_list() == pytest.approx((2 * q * plain["sd"]).to_list())
        theta = 0.63
        a_star = -2 * theta + (1 + 2 * (m - 1) * theta / m + theta**2) * (4 + 16 / m)
        correlated = moore_forecast(fit, [4], theta=theta)["sd"].item()
        assert correlated == pytest.approx(spread * math.sqrt(a_star / (1 + theta**2)))


class TestWright:
    @pytest.mark.parametrize("estimator", [wright_trend, wright_levels])
    def test_an_exact_curve_gives_w_back(self, estimator):
        fit = estimator(curve(w=-0.4, stock=7))
        assert fit.params["w"] == pytest.approx(-0.4)
        assert fit.estimate == pytest.approx(1 - 2**-0.4)
        assert (fit.params["stock"], fit.params["stock_source"]) == (7, "published")
        assert fit.unit == "learning rate per doubling"

    def test_trend_is_a_regression_through_the_origin(self):
        points = curve(noise=0.2)
        fit = wright_trend(points, level=0.8)
        x = np.diff(np.log(points["cumulative_lagged"].to_numpy()))
        y = np.diff(np.log(points["unit_price_usd"].to_numpy()))
        ols = sm.OLS(y, x).fit()
        low, high = ols.conf_int(0.2)[0]
        assert fit.params["w"] == pytest.approx(ols.params[0])
        assert fit.sigma == pytest.approx(math.sqrt(ols.scale))
        assert fit.params["se"] == pytest.approx(ols.bse[0])
        assert (fit.ci_low, fit.ci_high) == (pytest.approx(1 - 2**high), pytest.approx(1 - 2**low))
        assert fit.ci_low < fit.estimate < fit.ci_high

    def test_levels_report_durbin_watson(self):
        points = curve(noise=0.2)
        fit = wright_levels(points)
        x = sm.add_constant(np.log(points["cumulative_lagged"].to_numpy()))
        ols = sm.OLS(np.log(points["unit_price_usd"].to_numpy()), x).fit()
        residuals = ols.resid
        expected = np.sum(np.diff(residuals) ** 2) / np.sum(residuals**2)
        assert fit.params["durbin_watson"] == pytest.approx(expected)
        assert fit.params["se"] == pytest.approx(ols.bse[1])

    def test_a_series_from_zero_gets_an_estimated_stock(self):
        annual = 2.0 * np.exp(0.3 * np.arange(12))
        stock = 2.0 / math.expm1(0.3)
        points = curve(w=-0.5, stock=stock, annual=annual).with_columns(
            cumulative_production=pl.col("annual_production").cum_sum()
        )
        for frame in (
            points.drop("cumulative_lagged"),
            points.drop("cumulative_lagged", "cumulative_production"),
            points.with_columns(cumulative_lagged=pl.col("cumulative_production").shift(1)),
        ):
            fit = wright_trend(frame)
            assert fit.params["stock_source"] == "estimated"
            assert fit.params["stock"] == pytest.approx(stock)
            assert fit.params["production_growth"] == pytest.approx(0.3)
            assert fit.params["w"] == pytest.approx(-0.5)
            # Exponential production is a straight line in time: the two cannot be told apart.
            assert fit.params["identification"] == "cannot_separate_from_time"
            assert "cannot_separate_from_time" in fit.flags

    def test_the_three_stocks_bracket(self):
        points = curve(w=-0.4, stock=7)
        rates = [wright_trend(points, initial_stock=s).estimate for s in ("none", "published", "twice")]
        assert rates == sorted(rates)
        assert wright_trend(points, initial_stock="twice").params["stock"] == 14
        none = wright_trend(points, initial_stock="none")
        assert none.dropped == {"no_production_before": 1}
        assert none.n_rows == 14

    def test_cumulative_alone_is_lagged_by_a_year(self):
        points = curve(w=-0.4, stock=7).select("year", "unit_price_usd", "cumulative_production")
        fit = wright_trend(points)
        assert fit.params["w"] == pytest.approx(-0.4)
        assert fit.params["production_growth"] is None
        assert fit.dropped == {"no_production_before": 1}

    def test_only_adjacent_years_are_differenced(self):
        points = curve(w=-0.4, stock=7).filter(~pl.col("year").is_in([1995, 1999]))
        fit = wright_trend(points)
        assert fit.params["w"] == pytest.approx(-0.4)
        assert fit.params["n_adjacent"] == 10
        assert "missing_years" in fit.flags

    def test_shrinking_production_is_flagged(self):
        annual = np.array([9.0, 8, 7, 5, 4])
        assert "production_not_growing" in wright_trend(curve(annual=annual)).flags
        from_zero = wright_trend(curve(annual=annual).drop("cumulative_lagged", "cumulative_production"))
        assert {"production_not_growing", "no_initial_stock"} <= set(from_zero.flags)
        assert from_zero.params["stock"] == 0

    def test_uneven_production_is_separable(self):
        fit = wright_trend(curve(stock=1.0, annual=np.array([50.0, 1, 1, 1, 1, 1, 1, 1, 60, 1, 1])))
        assert fit.params["vif"] < 10
        assert fit.params["identification"] == "separable"

    @settings(max_examples=25, deadline=None)
    @given(st.floats(0.01, 100), st.floats(0.01, 100), st.randoms(use_true_random=False))
    def test_units_and_order_do_not_matter(self, usd, made, random):
        points = curve(noise=0.1)
        rows, columns = list(range(points.height)), points.columns[:]
        random.shuffle(rows)
        random.shuffle(columns)
        production = ("annual_production", "cumulative_production", "cumulative_lagged")
        other = points[rows].select(columns)
        other = other.with_columns(pl.col("unit_price_usd") * usd, pl.col(*production) * made)
        for stock in ("published", "none", "twice"):
            one, two = (wright_trend(p, initial_stock=stock) for p in (points, other))
            assert two.estimate == pytest.approx(one.estimate)
            assert (two.ci_low, two.ci_high) == (pytest.approx(one.ci_low), pytest.approx(one.ci_high))

    def test_forecast_follows_the_formula(self):
        points = curve(noise=0.1)
        fit = wright_trend(points)
        ahead = wright_forecast(fit, [3], [0.9])
        sd = fit.sigma * math.sqrt(3 + 0.81 / fit.params["sum_x2"])
        assert ahead["sd"].item() == pytest.approx(sd)
        centre = points["unit_price_usd"][-1] * math.exp(fit.params["w"] * 0.9)
        assert ahead["unit_price_usd"].item() == pytest.approx(centre)
        assert ahead["high"].item() == pytest.approx(centre * math.exp(stats.t.ppf(0.95, 13) * sd))
        with pytest.raises(ValueError, match="ln_cumulative_growth: 2 numbers"):
            wright_forecast(fit, [3], [0.9, 1.0])
        with pytest.raises(ValueError, match="tau: expected years ahead above 0"):
            wright_forecast(fit, [0], [0.9])

    def test_unpriced_years_are_counted(self):
        points = curve().with_columns(
            unit_price_usd=pl.when(pl.col("year") > 2002).then(None).otherwise("unit_price_usd")
        )
        assert wright_trend(points).dropped == {"missing_price": 2}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop("unit_price_usd"), "points: missing column unit_price_usd"),
        (lambda f: f.clear(), "points: empty"),
        (lambda f: f.select("year", "unit_price_usd"), "points: missing column annual_production"),
        (lambda f: pl.concat([f, f.head(1)]), "year: 1990 stands in two rows"),
        (lambda f: f.with_columns(year=pl.col("year") + 0.5), "year: found a null or a fraction"),
        (lambda f: f.with_columns(unit_price_usd=pl.lit(math.nan)), "unit_price_usd: row 0 is nan"),
        (lambda f: f.with_columns(annual_production=pl.lit(-1.0)), "annual_production: found a negative"),
        (
            lambda f: f.with_columns(cumulative_lagged=-pl.col("year")),
            "cumulative_production: negative or falls",
        ),
        (
            lambda f: f.with_columns(cumulative_lagged=pl.lit(5.0)),
            "cumulative_production: no two adjacent years",
        ),
        (
            lambda f: f.select("year", "unit_price_usd", annual_production=pl.lit(None)),
            "annual_production, cumulative_production, cumulative_lagged: all null",
        ),
    ],
)
def test_bad_points_are_named(spoil, message):
    with pytest.raises(ValueError, match=message):
        wright_trend(spoil(curve()))


def test_other_bad_input_is_named():
    with pytest.raises(ValueError, match="initial_stock: expected"):
        wright_trend(curve(), initial_stock="half")
    with pytest.raises(ValueError, match="year: no two adjacent years"):
        moore_trend(curve().gather_every(2))
    with pytest.raises(ValueError, match="cumulative_production: without variation"):
        wright_levels(curve().with_columns(cumulative_lagged=pl.lit(5.0)))
