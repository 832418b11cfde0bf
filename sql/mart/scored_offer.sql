-- Which price buys which score. A price of one mode buys the scores of that mode; a price marked `effort`, or
-- of no mode, buys those of every mode when its model has one price; scores of unspecified mode count only
-- for models with no other score.
with priced_modes as (
    select ai_model_id, count(distinct mode) as mode_count from mart.price_offer group by ai_model_id
),

usable as (
    select *
    from mart.model_score
    qualify mode <> 'unspecified' or bool_and(mode = 'unspecified') over (partition by axis, ai_model_id)
)

select
    score.axis,
    offer.ai_model_id,
    score.mode,
    offer.developer,
    offer.provider,
    offer.listing_id,
    offer.valid_from,
    offer.valid_to,
    offer.usd_per_mtok,
    score.score,
    score.is_open_weights,
    offer.date_kind,
    offer.is_headline,
    offer.source
from mart.price_offer as offer
inner join priced_modes using (ai_model_id)
inner join usable as score
    on score.ai_model_id = offer.ai_model_id
    and (
        offer.mode = score.mode
        or offer.mode is null
        or score.mode = 'unspecified'
        or (offer.mode = 'effort' and priced_modes.mode_count <= 1)
    )
order by score.axis, score.mode, offer.listing_id, offer.source, offer.valid_from
