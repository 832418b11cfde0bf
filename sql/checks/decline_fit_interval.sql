-- table: mart.decline_fit
-- severity: critical
-- An interval holds its estimate, and a fit without one says why.
select fit_id, factor_per_year, ci_low, ci_high, flags
from mart.decline_fit
where not (ci_low <= factor_per_year and factor_per_year <= ci_high)
    or ((ci_low is null or ci_high is null) and flags = '')
    or (ci_low is null) <> (ci_high is null)
