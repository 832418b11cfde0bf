-- Who sells tokens: the providers of the price lists and those of the curated events. A router passes requests on:
-- the price it shows is that of the host it would choose, after its own discounts, and no host's list price.
with named as (
    select provider, count(*) as listing_count from core.listing group by provider
)

select
    named.provider,
    coalesce(published.display_name, named.provider) as display_name,
    published.pricing_url,
    named.provider in ('cursor', 'github-copilot', 'openrouter') or named.provider like 'huggingface%' as is_router,
    named.listing_count
from named
left join raw.genai_prices_provider as published using (provider)
order by named.provider
