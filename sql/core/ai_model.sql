-- Which AI models there are: the curated list as it stands.
select
    ai_model_id,
    developer,
    snapshot,
    release_date,
    kind,
    is_open_weights,
    context_tokens,
    confidence,
    note
from raw.ai_model
order by ai_model_id
