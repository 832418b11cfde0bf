-- table: core.installed_base
-- severity: critical
-- Cumulative sales never fall.
select designer, as_of_date, h100e_central
from core.installed_base
qualify h100e_central < lag(h100e_central) over (partition by designer order by as_of_date)
