-- What did this database know on a day about the prices of another day? Unlike `price_asof`, nothing learnt later counts.
select source, count(*) as prices, min(valid_from) as oldest, max(valid_from) as newest
from price_known('2026-11-01', as_known := '2026-11-10')
group by source
order by source
