-- Who sells tokens: the providers of the price lists and those of the curated events.
with named as (
    select provider, count(*) as listing_count from core.listing group by provider
)

select
    named.provider,
    coalesce(published.display_name, named.provider) as display_name,
    published.pricing_url,
    named.listing_count
from named
left join raw.genai_prices_provider as published using (provider)
order by named.provider
