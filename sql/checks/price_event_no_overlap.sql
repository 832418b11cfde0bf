-- table: core.price_event
-- severity: critical
-- No two prices of one listing, meter, tier and source hold on the same day as known at the same time.
with bounded as (
    select
        *,
        row_number() over () as row_id,
        coalesce(valid_from, date '0001-01-01') as first_day,
        coalesce(valid_to, date '9999-12-31') as end_day,
        coalesce(known_to, timestamp '9999-12-31') as known_end
    from core.price_event
)

select
    a.listing_id,
    a.meter,
    a.tier_min_tokens,
    a.source,
    a.valid_from,
    a.valid_to,
    b.valid_from as other_valid_from,
    b.valid_to as other_valid_to
from bounded as a
inner join bounded as b
    on a.listing_id = b.listing_id
    and a.meter = b.meter
    and a.tier_min_tokens = b.tier_min_tokens
    and a.source = b.source
    and a.row_id < b.row_id
    and a.first_day < b.end_day
    and b.first_day < a.end_day
    and a.known_from < b.known_end
    and b.known_from < a.known_end
