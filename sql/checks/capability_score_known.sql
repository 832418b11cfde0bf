-- table: core.capability_score
-- severity: critical
-- Every score names an AI model and a benchmark that exist.
select score_id, ai_model_id, benchmark
from core.capability_score
where ai_model_id not in (select ai_model_id from core.ai_model)
    or benchmark not in (select benchmark from core.benchmark)
