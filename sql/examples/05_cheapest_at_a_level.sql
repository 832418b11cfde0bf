-- Who was the cheapest at 50 % on GPQA Diamond, at the start of each year?
select day, cheapest.*
from (values (date '2025-01-01'), (date '2026-01-01')) as days (day),
    lateral (
        select ai_model_id, provider, usd_per_mtok, score
        from mart.scored_offer
        where axis = 'gpqa' and score >= 50 and usd_per_mtok > 0
            and valid_from <= day and (valid_to is null or valid_to > day)
        order by usd_per_mtok
        limit 1
    ) as cheapest
order by day
