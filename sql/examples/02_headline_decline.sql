-- How fast does the price of constant capability fall: each estimator over its full window, flags beside it?
select axis, estimator, sample, threshold, factor_per_year, ci_low, ci_high, n_rows, n_models, flags
from mart.decline_fit
where window_from < date '2024-01-01'
order by is_headline desc, axis, estimator, threshold
