-- Every price with the days it held and the time we knew it, and the AI model the listing meant on those days.
-- Where a floating name changed its meaning, the interval is cut at that day: the move is no price change.
with alias as (
    select
        split_part(alias, ':', 1) || '/' || substr(alias, strpos(alias, ':') + 1) as listing_id,
        ai_model_id,
        mode,
        confidence,
        coalesce(alias_from, date '1970-01-01') as alias_from,
        coalesce(alias_to, date '9999-12-31') as alias_to
    from core.model_alias
    where alias_table = 'genai_prices'
),

-- The days before, between and after the known meanings of a name mean no known model.
meaning as (
    select listing_id, ai_model_id, mode, confidence, alias_from, alias_to from alias
    union all
    select listing_id, null, null, null, alias_to, coalesce(lead(alias_from) over name, date '9999-12-31')
    from alias
    window name as (partition by listing_id order by alias_from)
    union all
    select listing_id, null, null, null, date '1970-01-01', min(alias_from) from alias group by listing_id
),

quoted as (
    select
        price.provider,
        price.provider || '/' || price.source_model_id as listing_id,
        meaning.ai_model_id,
        price.meter,
        price.tier_min_tokens,
        price.usd_per_mtok,
        price.unit,
        price.amount_original,
        price.currency,
        case
            when price.valid_from is null and coalesce(meaning.alias_from, date '1970-01-01') = date '1970-01-01' then null
            else greatest(coalesce(price.valid_from, date '1970-01-01'), coalesce(meaning.alias_from, date '1970-01-01'))
        end as valid_from,
        nullif(
            least(coalesce(price.valid_to, date '9999-12-31'), coalesce(meaning.alias_to, date '9999-12-31')),
            date '9999-12-31'
        ) as valid_to,
        price.known_from,
        price.known_to,
        price.date_kind,
        price.source,
        case when price.date_kind = 'list_change' then 'high' else 'medium' end as confidence,
        price.snapshot_sha256,
        meaning.mode,
        coalesce(meaning.confidence, 'medium') <> 'low' and not provider.is_router as is_headline,
        null as note
    from core.quoted_price_interval as price
    left join meaning
        on meaning.listing_id = price.provider || '/' || price.source_model_id
        and meaning.alias_from < meaning.alias_to
        and meaning.alias_from < coalesce(price.valid_to, date '9999-12-31')
        and meaning.alias_to > coalesce(price.valid_from, date '1970-01-01')
    inner join core.provider as provider on provider.provider = price.provider
    where price.date_kind <> 'announced'
),

curated as (
    select
        price.provider,
        price.provider || '/' || price.source_model_id as listing_id,
        price.ai_model_id,
        price.meter,
        0 as tier_min_tokens,
        price.usd_per_mtok,
        'USD per million tokens' as unit,
        rtrim(rtrim(price.usd_per_mtok::varchar, '0'), '.') as amount_original,
        'USD' as currency,
        price.valid_from,
        price.valid_to,
        file.vintage_date::timestamp as known_from,
        null as known_to,
        price.date_kind,
        'reference' as source,
        price.confidence,
        file.snapshot_sha256,
        price.mode,
        price.is_headline,
        price.note
    from core.curated_price_interval as price
    inner join raw.reference_file as file on file.table_name = 'list_price_event'
)

select
    provider,
    listing_id,
    ai_model_id,
    meter,
    tier_min_tokens::bigint as tier_min_tokens,
    usd_per_mtok,
    unit,
    amount_original,
    currency,
    valid_from,
    valid_to,
    known_from,
    known_to,
    date_kind,
    source,
    confidence,
    snapshot_sha256,
    mode,
    is_headline,
    note
from (
    select * from quoted
    union all by name
    select * from curated
)
order by listing_id, meter, tier_min_tokens, source, valid_from, known_from
