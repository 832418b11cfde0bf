-- Which scores were published: the curated scores as they stand; choosing among them is left to mart.model_score.
select
    score_id,
    ai_model_id,
    mode,
    benchmark,
    score,
    unit,
    effort,
    setting,
    publisher,
    source_kind,
    as_of_date,
    confidence,
    source_url
from raw.capability_score
order by score_id
