-- table: core.model_alias
-- severity: critical
-- A name means one AI model on one day.
select a.alias, a.alias_table, a.ai_model_id, a.alias_from, a.alias_to, b.ai_model_id as other_model, b.alias_from as other_from
from core.model_alias as a
inner join core.model_alias as b
    on a.alias = b.alias
    and a.alias_table = b.alias_table
    and a.mode is not distinct from b.mode
    and (a.ai_model_id, coalesce(a.alias_from, date '0001-01-01')) < (b.ai_model_id, coalesce(b.alias_from, date '0001-01-01'))
    and coalesce(a.alias_from, date '0001-01-01') < coalesce(b.alias_to, date '9999-12-31')
    and coalesce(b.alias_from, date '0001-01-01') < coalesce(a.alias_to, date '9999-12-31')
-- One name may be listed for several modes of one model.
where a.alias_table = 'genai_prices'
