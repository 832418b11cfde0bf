-- How far apart are the hosts of the same open-weights model today?
select
    offer.ai_model_id,
    count(distinct offer.provider) as providers,
    min(offer.usd_per_mtok) as cheapest_usd_per_mtok,
    max(offer.usd_per_mtok) as dearest_usd_per_mtok,
    (max(offer.usd_per_mtok) / nullif(min(offer.usd_per_mtok), 0))::double as ratio
from mart.price_offer as offer
inner join core.ai_model as ai_model using (ai_model_id)
where ai_model.is_open_weights and offer.valid_to is null and offer.usd_per_mtok > 0
group by offer.ai_model_id
having count(distinct offer.provider) >= 4
order by ratio desc, ai_model_id
