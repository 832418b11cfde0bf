-- On which days the lowest standard list price of a scored AI model and mode changed: its launch, then every
-- change. Only dated prices, none that is free; once those that may enter headline fits, once all of them.
-- A model whose launch price is not known stays out: its first change would stand in for a launch years earlier.
with offer as (
    select
        offers.offer_filter,
        scored.*,
        min(scored.valid_from) filter (scored.date_kind = 'launch') over (
            partition by offers.offer_filter, scored.axis, scored.ai_model_id, scored.mode
        ) as launch_date
    from mart.scored_offer as scored
    cross join (values ('headline'), ('unfiltered')) as offers (offer_filter)
    where (scored.is_headline or offers.offer_filter = 'unfiltered')
        and scored.date_kind in ('launch', 'list_change')
        and scored.usd_per_mtok > 0
),

change_date as (
    select axis, offer_filter, ai_model_id, mode, valid_from as date from offer
    union
    select axis, offer_filter, ai_model_id, mode, valid_to from offer where valid_to is not null
),

lowest as (
    select
        change_date.axis,
        change_date.offer_filter,
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
        and offer.offer_filter = change_date.offer_filter
        and offer.ai_model_id = change_date.ai_model_id
        and offer.mode = change_date.mode
        and offer.launch_date <= change_date.date
        and offer.valid_from <= change_date.date
        and (offer.valid_to is null or offer.valid_to > change_date.date)
    group by all
)

select
    axis,
    offer_filter,
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
window history as (partition by axis, offer_filter, ai_model_id, mode order by date)
qualify lag(usd_per_mtok) over history is distinct from usd_per_mtok
order by axis, offer_filter, ai_model_id, mode, date
