-- Questions asked so often that the published database answers them by name.
create or replace macro price_asof(on_date) as table
    select *
    from core.price_event
    where known_to is null
        and valid_from <= on_date::date
        and (valid_to is null or valid_to > on_date::date);

create or replace macro price_known(on_date, as_known := null) as table
    select *
    from core.price_event
    where valid_from <= on_date::date
        and (valid_to is null or valid_to > on_date::date)
        and (
            (as_known is null and known_to is null)
            or (known_from <= as_known::timestamp and (known_to is null or known_to > as_known::timestamp))
        );

create or replace macro cheapest_at(on_axis, at_level, on_date) as table
    select ai_model_id, mode, provider, listing_id, usd_per_mtok, score, valid_from, date_kind, source
    from mart.scored_offer
    where axis = on_axis
        and score >= at_level
        and usd_per_mtok > 0
        and valid_from <= on_date::date
        and (valid_to is null or valid_to > on_date::date)
    order by usd_per_mtok, valid_from, listing_id
    limit 1;

create or replace macro blend(input_usd_per_mtok, output_usd_per_mtok, input_weight := 0.75) as
    input_weight * input_usd_per_mtok + (1 - input_weight) * output_usd_per_mtok;
