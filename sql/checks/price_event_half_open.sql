-- table: core.price_event
-- severity: critical
-- Every interval holds at least one day and was known for some time.
select listing_id, meter, tier_min_tokens, source, valid_from, valid_to, known_from, known_to
from core.price_event
where valid_to <= valid_from or known_to <= known_from
