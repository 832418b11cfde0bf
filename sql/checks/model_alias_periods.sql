-- table: core.model_alias
-- severity: critical
-- A listing's name means one AI model in one mode on one day.
with bounded as (
    select
        *,
        row_number() over (order by alias, coalesce(alias_from, date '0001-01-01'), ai_model_id) as row_id,
        coalesce(alias_from, date '0001-01-01') as first_day,
        coalesce(alias_to, date '9999-12-31') as end_day
    from core.model_alias
    where alias_table = 'genai_prices'
)

select
    a.alias,
    a.ai_model_id,
    a.mode,
    a.alias_from,
    a.alias_to,
    b.ai_model_id as other_model,
    b.mode as other_mode,
    b.alias_from as other_from
from bounded as a
inner join bounded as b
    on a.alias = b.alias
    and a.row_id < b.row_id
    and a.first_day < b.end_day
    and b.first_day < a.end_day
