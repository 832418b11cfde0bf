-- How many accelerators have been sold since 2022: the curated estimates as they stand.
select
    designer,
    as_of_date,
    units,
    h100e_low,
    h100e_central,
    h100e_high,
    power_mw,
    cost_million_usd,
    confidence,
    source_url
from raw.installed_base
order by designer, as_of_date
