-- table: core.model_alias
-- severity: critical
-- Every alias names an AI model that exists.
select alias, ai_model_id from core.model_alias where ai_model_id not in (select ai_model_id from core.ai_model)
