-- Which share of all accelerators would 10,000 tokens a day for everyone take, and how did that change?
select as_of, scenario, reading, share_low, share_central, share_high
from mart.capacity_coverage
order by scenario, reading, as_of
