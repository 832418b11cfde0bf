-- How many tokens were served: the curated disclosures, without forecasts, peaks and those that contradict others.
select
    volume_id,
    date,
    date_precision,
    discloser,
    scope,
    stated_amount,
    stated_unit,
    tokens_per_day,
    kind,
    nested_in,
    confidence,
    note,
    source_url
from raw.token_volume
where kind in ('disclosure', 'estimate', 'derived')
order by volume_id
