-- How many accelerators were shipped: the curated estimates as they stand, incomplete periods flagged.
select
    designer,
    chip,
    period,
    period_kind,
    period_from,
    period_to,
    metric,
    unit,
    low,
    central,
    high,
    is_incomplete,
    as_of_date,
    confidence,
    note,
    source_url
from raw.accelerator_shipment
order by designer, chip, period, metric
