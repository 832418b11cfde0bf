-- Which AI model each listing means now: the alias table decides, the naming rules say the rest, and what
-- neither knows stays NULL. A name that has meant several models takes the newest of them.
with alias as (
    select
        split_part(alias, ':', 1) || '/' || substr(alias, strpos(alias, ':') + 1) as listing_id,
        ai_model_id,
        mode,
        coalesce(alias_from, date '1970-01-01') as alias_from
    from core.model_alias
    where alias_table = 'genai_prices'
),

alias_now as (
    select
        listing_id,
        arg_max(ai_model_id, alias_from) as ai_model_id,
        arg_max_null(mode, alias_from) as mode,
        count(*) > 1 as is_floating
    from alias
    group by listing_id
),

-- A curated event names its AI model itself.
curated as (
    select
        provider || '/' || source_model_id as listing_id,
        any_value(ai_model_id) as ai_model_id,
        any_value(mode) as mode
    from core.curated_price_interval
    group by listing_id
)

select
    named.listing_id,
    named.provider,
    named.source_model_id,
    coalesce(alias_now.ai_model_id, curated.ai_model_id) as ai_model_id,
    coalesce(ai_model.developer, named.developer) as developer,
    named.snapshot,
    named.variant,
    named.family,
    case when alias_now.listing_id is null then curated.mode else alias_now.mode end as mode,
    case
        when alias_now.listing_id is not null then 'alias'
        when curated.listing_id is not null then 'curated'
        else named.identity_rule
    end as identity_rule,
    coalesce(alias_now.is_floating, false) as is_floating
from core.listing_identity as named
left join alias_now using (listing_id)
left join curated using (listing_id)
left join core.ai_model as ai_model
    on ai_model.ai_model_id = coalesce(alias_now.ai_model_id, curated.ai_model_id)
order by named.listing_id
