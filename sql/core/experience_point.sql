-- What a unit cost and how many were made: the curated series as they stand.
select
    technology,
    family,
    year,
    unit_price,
    price_unit,
    annual_production,
    cumulative_production,
    cumulative_lagged,
    production_unit,
    publisher,
    confidence,
    note,
    source_url
from raw.experience_point
order by technology, year
