-- Which score places an AI model on an axis: independent before collected before vendor, then the latest
-- vintage, then the median. Scores that rest on memory are left out.
with scored as (
    select
        benchmark.axis,
        score.*,
        case score.source_kind when 'index' then 0 when 'independent' then 1 when 'collected' then 2 else 3 end as rank
    from core.capability_score as score
    inner join core.benchmark as benchmark using (benchmark)
    where benchmark.axis is not null and score.confidence <> 'low'
),

chosen as (
    select *
    from scored
    window
        place as (partition by axis, ai_model_id, mode),
        best as (partition by axis, ai_model_id, mode, rank)
    qualify rank = min(rank) over place
        and coalesce(as_of_date, date '1970-01-01') = max(coalesce(as_of_date, date '1970-01-01')) over best
),

spread as (
    select axis, ai_model_id, mode, min(score) as score_low, max(score) as score_high
    from scored
    group by all
)

select
    chosen.axis,
    chosen.ai_model_id,
    chosen.mode,
    any_value(ai_model.developer) as developer,
    any_value(ai_model.release_date) as release_date,
    any_value(ai_model.is_open_weights) as is_open_weights,
    median(chosen.score) as score,
    any_value(spread.score_low) as score_low,
    any_value(spread.score_high) as score_high,
    count(*) as score_count,
    any_value(chosen.source_kind) as source_kind,
    max(chosen.as_of_date) as as_of_date
from chosen
inner join core.ai_model as ai_model using (ai_model_id)
inner join spread using (axis, ai_model_id, mode)
group by chosen.axis, chosen.ai_model_id, chosen.mode
order by chosen.axis, chosen.ai_model_id, chosen.mode
