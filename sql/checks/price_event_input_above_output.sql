-- table: core.price_event
-- severity: warning
-- Output costs at least as much as input; where it does not, the two may be swapped.
select i.listing_id, i.source, i.valid_from, i.usd_per_mtok as input_usd_per_mtok, o.usd_per_mtok as output_usd_per_mtok
from core.price_event as i
inner join core.price_event as o using (listing_id, source, tier_min_tokens, valid_from, known_from)
where i.meter = 'input' and o.meter = 'output' and o.usd_per_mtok < i.usd_per_mtok and o.usd_per_mtok > 0
