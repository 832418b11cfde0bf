-- On which days the lowest standard list price of a scored AI model and mode changed: its launch, then every
-- change. Only dated prices that may enter headline fits, and none that is free.
with offer as (
    select *
    from mart.scored_offer
    where is_headline and date_kind in ('launch', 'list_change') and usd_per_mtok > 0
),

change_date as (
    select axis, ai_model_id, mode, valid_from as date from offer
    union
    select axis, ai_model_id, mode, valid_to from offer where valid_to is not null
),

lowest as (
    select
        change_date.axis,
        change_date.ai_model_id,
        change_date.mode,
        change_date.date,
        min(offer.usd_per_mtok) as usd_per_mtok,
        arg_min(offer.provider, (offer.usd_per_mtok, offer.valid_from, offer.provider)) as provider,
        arg_min(offer.source, (offer.usd_per_mtok, offer.valid_from, offer.provider)) as source,
        any_value(offer.developer) as developer,
        any_value(offer.score) as score,
        any_value(offer.is_open_weights) as is_open_weights
    from change_date
    inner join offer
        on offer.axis = change_date.axis
        and offer.ai_model_id = change_date.ai_model_id
        and offer.mode = change_date.mode
        and offer.valid_from <= change_date.date
        and (offer.valid_to is null or offer.valid_to > change_date.date)
    group by change_date.axis, change_date.ai_model_id, change_date.mode, change_date.date
)

select
    axis,
    ai_model_id,
    mode,
    developer,
    provider,
    date,
    usd_per_mtok,
    score,
    is_open_weights,
    source
from lowest
qualify lag(usd_per_mtok) over history is distinct from usd_per_mtok
window history as (partition by axis, ai_model_id, mode order by date)
order by axis, ai_model_id, mode, date
