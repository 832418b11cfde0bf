-- table: core.price_event
-- severity: critical
-- Every AI model that a price names exists.
select distinct ai_model_id
from core.price_event
where ai_model_id is not null and ai_model_id not in (select ai_model_id from core.ai_model)
