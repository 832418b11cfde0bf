-- What the data says of each claim. A verdict follows from the marts and from the numbers of
-- dashboards/claims.toml; no verdict is written down anywhere.
with vintage as (
    select max(vintage_date) as vintage from core.source
),

headline as (
    select * from mart.decline_fit where is_headline
),

pareto as (
    select factor_per_year, ci_low, ci_high
    from mart.decline_fit
    where fit_id = 'eci:all:score_controlled_trend:pareto_on_date:blended_3_1:full'
),

price_decline as (
    select
        claim.claim_id,
        case
            when fit.ci_low is null then 'cannot_tell'
            when fit.ci_low >= claim.supported_low and fit.ci_high <= claim.supported_high then 'supported'
            when fit.ci_high < claim.supported_low or fit.ci_low > claim.supported_high then 'not_supported'
            else 'mixed'
        end as verdict,
        fit.factor_per_year as value,
        fit.ci_low,
        fit.ci_high,
        'score-controlled trend on the Epoch Capabilities Index, all models, 90 % interval' as method,
        printf(
            'At constant capability, list prices fell %.1f-fold a year (90 %% interval %.1f to %.1f), that is by %.0f %% '
            || '(%.0f to %.0f %%): %d prices of %d AI models, launches and changes, %s to %s. On the models that no '
            || 'other beat on their day, a choice that overstates, the same fit says %.1f-fold.',
            fit.factor_per_year, fit.ci_low, fit.ci_high,
            100 * (1 - 1 / fit.factor_per_year), 100 * (1 - 1 / fit.ci_low), 100 * (1 - 1 / fit.ci_high),
            fit.n_rows, fit.n_models, fit.window_from::varchar, fit.window_to::varchar, pareto.factor_per_year
        ) as sentence
    from raw.claim as claim
    left join headline as fit on true
    left join pareto on true
    where claim.claim_id = 'price_decline'
),

coverage as (
    select *
    from mart.capacity_coverage
    where scenario = 'frontier_1_to_8x' and reading = 'fleet_day'
    qualify as_of = max(as_of) over ()
),

demand as (
    select
        max(share_of_claim) as share_of_claim,
        arg_max(discloser, share_of_claim) as discloser,
        arg_max(tokens_per_person_day, share_of_claim) as tokens_per_person_day,
        arg_max(date, share_of_claim) as date
    from mart.token_demand
    where kind = 'disclosure' and confidence <> 'low'
),

serving_capacity as (
    select
        claim.claim_id,
        case
            when coverage.share_central is null or demand.share_of_claim is null then 'cannot_tell'
            -- Two halves: enough accelerators, and nobody serving anywhere near as much.
            when coverage.share_high <= claim.supported_high and demand.share_of_claim < 0.5 then 'supported'
            when coverage.share_low > claim.supported_high then 'not_supported'
            when coverage.share_high > claim.supported_high and demand.share_of_claim >= 1 then 'not_supported'
            else 'mixed'
        end as verdict,
        coverage.share_central as value,
        coverage.share_low as ci_low,
        coverage.share_high as ci_high,
        'closed form on DeepSeek''s disclosed day; stated low and high assumptions, not a confidence interval' as method,
        printf(
            'On %s, 10,000 output tokens a day for everyone would have taken %.0f %% of the accelerators free for serving '
            || '(%.0f to %.0f %% over the stated assumptions: a model 1 to 8 times as heavy as DeepSeek V3, 30 to 80 %% '
            || 'of the installed base free). The largest disclosed volume, %s in %s, input and '
            || 'output together, comes to %.0f tokens a day per person on earth, %.1f times the 10,000.',
            coverage.as_of::varchar, 100 * coverage.share_central, 100 * coverage.share_low, 100 * coverage.share_high,
            demand.discloser, strftime(demand.date, '%B %Y'), demand.tokens_per_person_day, demand.share_of_claim
        ) as sentence
    from raw.claim as claim
    left join coverage on true
    left join demand on true
    where claim.claim_id = 'serving_capacity'
),

token_curve as (
    select * from mart.experience_fit where family = 'tokens' and estimator = 'wright_trend:published'
),

fastest as (
    select technology, annual_decline
    from mart.experience_fit
    where estimator = 'moore_trend' and family <> 'tokens'
    qualify annual_decline = max(annual_decline) over ()
),

learning_curve as (
    select
        claim.claim_id,
        case
            when token_curve.identification is distinct from 'separable' or token_curve.ci_low is null then 'cannot_tell'
            when token_curve.ci_low > claim.claimed_value then 'supported'
            when token_curve.ci_high <= claim.claimed_value then 'not_supported'
            else 'mixed'
        end as verdict,
        1 - 1 / fit.factor_per_year as value,
        1 - 1 / fit.ci_low as ci_low,
        1 - 1 / fit.ci_high as ci_high,
        'score-controlled trend beside the yearly drift of reference technologies' as method,
        printf(
            'At constant capability tokens lose %.0f %% of their price a year (90 %% interval %.0f to %.0f %%); the fastest '
            || 'reference technology, %s, lost %.0f %%. Whether production or only time drives it cannot be told: %s.',
            100 * (1 - 1 / fit.factor_per_year), 100 * (1 - 1 / fit.ci_low), 100 * (1 - 1 / fit.ci_high),
            lower(fastest.technology), 100 * fastest.annual_decline,
            case
                when token_curve.identification is null then 'there is no series of tokens served long enough to fit'
                else 'tokens served grew too steadily'
            end
        ) as sentence
    from raw.claim as claim
    left join headline as fit on true
    left join fastest on true
    left join token_curve on true
    where claim.claim_id = 'learning_curve'
),

payback as (
    select *
    from mart.scale_payback
    where company = 'TSMC' and confidence <> 'low'
    qualify period = max(period) over ()
),

scale_wins as (
    select
        claim.claim_id,
        case
            when payback.payback_years is null then 'cannot_tell'
            when payback.payback_years > claim.supported_high then 'not_supported'
            -- The arithmetic is half the claim; that the rest give up is not measured here.
            else 'mixed'
        end as verdict,
        payback.payback_years as value,
        payback.payback_years_low as ci_low,
        payback.payback_years_high as ci_high,
        'payback of four years of one PhD at 5 % a year; range over stated salaries, not a confidence interval' as method,
        printf(
            'At TSMC''s cost of revenue of %s, USD %.0f billion, a cut of 0.001 %% saves USD %.2f million a year: four years '
            || 'of one PhD (USD %.2f million) pay back in %.1f years (%.1f to %.1f over the stated salaries). Whether the '
            || 'winners are those who keep scaling is not decided by that, and not measured yet.',
            payback.period, payback.cost_base_usd / 1e9, payback.annual_saving_usd / 1e6, payback.effort_usd / 1e6,
            payback.payback_years, payback.payback_years_low, payback.payback_years_high
        ) as sentence
    from raw.claim as claim
    left join payback on true
    where claim.claim_id = 'scale_wins'
),

decided as (
    select * from price_decline
    union all
    select * from serving_capacity
    union all
    select * from learning_curve
    union all
    select * from scale_wins
)

select
    decided.claim_id,
    decided.verdict,
    decided.value,
    decided.ci_low,
    decided.ci_high,
    claim.unit,
    decided.method,
    vintage.vintage,
    coalesce(decided.sentence, 'There is no number yet on which this claim could be decided.') as sentence,
    claim.statement,
    claim.ordinal,
    claim.would_change
from decided
inner join raw.claim as claim using (claim_id)
cross join vintage
order by claim.ordinal
