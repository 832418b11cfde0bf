-- Which rows is the headline fit made of?
select observation.date, observation.ai_model_id, observation.mode, observation.provider, observation.usd_per_mtok, observation.score
from mart.price_observation as observation
inner join mart.decline_fit as fit on fit.is_headline and fit.axis = observation.axis
where observation.offer_filter = 'headline'
order by observation.date, observation.ai_model_id, observation.mode
