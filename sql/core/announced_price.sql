-- Which prices are scheduled for a day after the snapshot that states them.
select
    price.provider,
    price.provider || '/' || price.source_model_id as listing_id,
    listing.ai_model_id,
    price.meter,
    price.tier_min_tokens,
    price.usd_per_mtok,
    price.unit,
    price.amount_original,
    price.currency,
    price.valid_from as announced_for,
    price.known_from,
    price.known_to,
    price.source,
    price.snapshot_sha256
from core.quoted_price_interval as price
left join core.listing as listing on listing.listing_id = price.provider || '/' || price.source_model_id
where price.date_kind = 'announced'
order by all
