-- What did the models of one developer cost on a day? (A macro answers for any day.)
select ai_model_id, provider, meter, usd_per_mtok, valid_from, date_kind, source
from price_asof('2025-06-01')
where ai_model_id like 'claude%' and meter in ('input', 'output') and tier_min_tokens = 0
order by ai_model_id, provider, meter
