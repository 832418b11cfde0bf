-- At which levels of an axis the price of constant performance is followed: the level of a named model, and
-- round numbers. A model that runs in several modes lends its best one.
with reference as (
    select * from (
        values
            ('GPT-3.5', 1, 'gpt-3.5-turbo-0301'),
            ('GPT-3.5', 2, 'gpt-3.5-turbo-0125'),
            ('GPT-4', 1, 'gpt-4-0314'),
            ('GPT-4o', 1, 'gpt-4o-2024-05-13'),
            ('o1', 1, 'o1'),
            ('GPT-5', 1, 'gpt-5')
    ) as t (label, preference, ai_model_id)
),

level as (
    select
        score.axis,
        max(score.score) as threshold,
        reference.label,
        reference.ai_model_id as reference_model_id
    from reference
    inner join mart.model_score as score using (ai_model_id)
    group by score.axis, reference.label, reference.preference, reference.ai_model_id
    -- GPT-3.5 of March 2023 where it has a score, else that of January 2024.
    qualify row_number() over (partition by score.axis, reference.label order by reference.preference) = 1
),

round_number as (
    select axis, threshold::double as threshold, axis || ' ' || threshold as label
    from (
        values ('mmlu', 42), ('mmlu', 70), ('mmlu', 83), ('gpqa', 40), ('gpqa', 50), ('gpqa', 60)
    ) as t (axis, threshold)
)

select axis, threshold, label, reference_model_id from level
union all
select axis, threshold, label, null from round_number
order by axis, threshold
