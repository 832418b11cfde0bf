-- Which listings changed their price, and by how much. A name that began to mean another model is marked:
-- that is no price cut.
with history as (
    select
        *,
        lag(usd_per_mtok) over listing as old_usd_per_mtok,
        lag(valid_from) over listing as old_valid_from,
        lag(valid_to) over listing as old_valid_to,
        lag(ai_model_id) over listing as old_ai_model_id
    from core.price_event
    where known_to is null and usd_per_mtok is not null
    window listing as (
        partition by listing_id, meter, tier_min_tokens, source
        order by valid_from nulls first
    )
)

select
    provider,
    listing_id,
    ai_model_id,
    meter,
    tier_min_tokens,
    valid_from as date,
    old_usd_per_mtok,
    usd_per_mtok as new_usd_per_mtok,
    case when old_usd_per_mtok > 0 then (usd_per_mtok / old_usd_per_mtok - 1)::double end as change_share,
    case when usd_per_mtok < old_usd_per_mtok then 'cut' else 'increase' end as direction,
    date_diff('day', old_valid_from, valid_from) as days_held,
    old_ai_model_id is distinct from ai_model_id as is_alias_move,
    source
from history
where old_usd_per_mtok is not null
    and old_valid_to = valid_from
    and old_usd_per_mtok <> usd_per_mtok
order by listing_id, meter, tier_min_tokens, source, date
