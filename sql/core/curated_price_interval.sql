-- From which day to which each curated price held: an event holds until the next event of its listing.
-- A model whose modes are priced apart at one provider has one listing per mode.
with event as (
    select
        *,
        snapshot || case
            when min(coalesce(mode, '')) over model <> max(coalesce(mode, '')) over model
                then '#' || coalesce(mode, 'any')
            else ''
        end as source_model_id,
        case when event = 'off_peak_start' then 'off_peak_' else '' end as prefix,
        confidence <> 'low'
            and not is_look_ahead
            and event not in ('promo_start', 'off_peak_start') as is_headline
    from raw.list_price_event
    window model as (partition by provider, ai_model_id)
),

quote as (
    select *, prefix || 'input' as meter, input_usd_per_mtok as usd_per_mtok from event
    union all by name
    select *, prefix || 'output' as meter, output_usd_per_mtok as usd_per_mtok from event
    union all by name
    select *, prefix || 'cache_read' as meter, cache_read_usd_per_mtok as usd_per_mtok from event
),

-- An event that leaves one meter as it was is no event of that meter.
changed as (
    select *
    from quote
    where usd_per_mtok is not null
    window listing as (partition by provider, source_model_id, meter order by effective_date)
    qualify row_number() over listing = 1
        or lag(usd_per_mtok) over listing <> usd_per_mtok
        or lag(is_headline) over listing <> is_headline
)

select
    provider,
    source_model_id,
    ai_model_id,
    mode,
    meter,
    usd_per_mtok,
    effective_date as valid_from,
    lead(effective_date) over listing as valid_to,
    case
        when event = 'observed' then 'observed'
        when row_number() over listing = 1 then 'launch'
        else 'list_change'
    end as date_kind,
    confidence,
    is_headline,
    note
from changed
window listing as (partition by provider, source_model_id, meter order by effective_date)
order by all
