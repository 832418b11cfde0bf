-- How much cheaper is cached input than fresh input, by provider?
select
    fresh.provider,
    count(*) as listings,
    median((cached.usd_per_mtok / fresh.usd_per_mtok)::double) as median_share_of_input
from core.price_event as fresh
inner join core.price_event as cached using (listing_id, source, tier_min_tokens, valid_from, known_from)
where fresh.meter = 'input' and cached.meter = 'cache_read'
    and fresh.known_to is null and fresh.valid_to is null and fresh.usd_per_mtok > 0
group by fresh.provider
having count(*) >= 3
order by median_share_of_input, provider
