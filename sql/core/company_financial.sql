-- What companies earn and spend: the curated accounts as they stand.
select
    company,
    period,
    metric,
    amount,
    unit,
    confidence,
    note,
    source_url
from raw.company_financial
order by company, period, metric, unit
