-- table: mart.price_frontier
-- severity: critical
-- Each record low is strictly below the one before.
select axis, threshold, date, usd_per_mtok
from mart.price_frontier
where series = 'records'
qualify usd_per_mtok >= lag(usd_per_mtok) over (partition by axis, threshold order by date)
