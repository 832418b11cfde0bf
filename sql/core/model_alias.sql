-- Which name means which AI model, and when: the curated list as it stands.
select
    alias,
    alias_table,
    ai_model_id,
    mode,
    alias_from,
    alias_to,
    confidence,
    note
from raw.model_alias
order by alias, alias_table, mode, alias_from
