-- Which models set the record lows at the level of GPT-4, and by how much did each cut the price?
select
    axis,
    date,
    ai_model_id,
    provider,
    usd_per_mtok,
    (lag(usd_per_mtok) over steps / usd_per_mtok)::double as times_cheaper
from mart.price_frontier
where threshold_label = 'GPT-4' and series = 'records'
window steps as (partition by axis order by date)
order by axis, date
