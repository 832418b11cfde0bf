-- What each price list says held when, and since when it says so (bitemporal).
-- A dated price is taken as stated. An undated one held, as far as we know, from the first snapshot that
-- shows it to the first that does not. A price dated after its snapshot is announced, not observed.
with quote as (
    select 'genai_prices' as source, * from raw.genai_prices
),

snapshot as (
    select
        *,
        row_number() over feed as ordinal,
        lead(observed_at) over feed as next_observed_at
    from (select distinct source, snapshot_sha256, observed_at from quote)
    window feed as (partition by source order by observed_at)
),

stated as (
    select
        quote.*,
        snapshot.ordinal,
        snapshot.next_observed_at,
        case
            when effective_from > observed_at::date then 'announced'
            when effective_from is not null or effective_to <= observed_at::date then 'list_change'
            else 'observed'
        end as statement_kind,
        -- An end that lies ahead is an announcement too: the price in force stays open.
        case
            when effective_to <= observed_at::date or effective_from > observed_at::date then effective_to
        end as stated_to
    from quote
    inner join snapshot using (source, snapshot_sha256, observed_at)
),

-- Consecutive snapshots that say the same are one row: their ordinals rise in step with their rank.
run as (
    select
        *,
        ordinal - row_number() over (
            partition by
                source, provider, source_model_id, meter, tier_min_tokens, unit, amount_original,
                statement_kind, effective_from, stated_to
            order by ordinal
        ) as run_id
    from stated
),

said as (
    select
        source,
        provider,
        source_model_id,
        meter,
        tier_min_tokens,
        unit,
        amount_original,
        statement_kind,
        effective_from,
        stated_to,
        any_value(usd_per_mtok) as usd_per_mtok,
        any_value(currency) as currency,
        arg_min(snapshot_sha256, ordinal) as snapshot_sha256,
        min(observed_at) as first_at,
        case when bool_or(next_observed_at is null) then null else max(next_observed_at) end as gone_at
    from run
    group by
        source, provider, source_model_id, meter, tier_min_tokens, unit, amount_original,
        statement_kind, effective_from, stated_to, run_id
),

-- While an undated price is shown it is open; once it is gone we know when it ended.
interval_open as (
    select
        *,
        case when statement_kind = 'observed' then first_at::date else effective_from end as valid_from,
        stated_to as valid_to,
        first_at as known_from,
        gone_at as known_to
    from said
),

-- What a list no longer says was true until it was gone: it stays known, closed on that day, until the list
-- dates the listing's prices again.
interval_closed as (
    select
        * exclude (dated_at),
        case when statement_kind = 'observed' then first_at::date else effective_from end as valid_from,
        least(coalesce(stated_to, gone_at::date), gone_at::date) as valid_to,
        gone_at as known_from,
        dated_at as known_to
    from (
        select
            said.*,
            (
                select min(dated.first_at)
                from said as dated
                where dated.statement_kind = 'list_change'
                    and dated.first_at >= said.gone_at
                    and dated.source = said.source
                    and dated.provider = said.provider
                    and dated.source_model_id = said.source_model_id
                    and dated.meter = said.meter
                    and dated.tier_min_tokens = said.tier_min_tokens
            ) as dated_at
        from said
        where statement_kind in ('observed', 'list_change') and gone_at is not null
    )
    where (dated_at is null or dated_at > gone_at)
        and (valid_from is null or valid_to > valid_from)
)

select
    source,
    provider,
    source_model_id,
    meter,
    tier_min_tokens,
    usd_per_mtok,
    unit,
    amount_original,
    currency,
    valid_from,
    valid_to,
    known_from,
    known_to,
    -- A period whose start the list does not give was seen, not dated.
    case when valid_from is null then 'observed' else statement_kind end as date_kind,
    snapshot_sha256
from (
    select * from interval_open
    union all by name
    select * from interval_closed
)
order by all
