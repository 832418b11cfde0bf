-- Which dated cuts of a first-listed price were the deepest? A name that moved to another model is no cut.
select date, listing_id, meter, old_usd_per_mtok, new_usd_per_mtok, change_share, days_held, source
from mart.price_change
where direction = 'cut' and not is_alias_move and meter in ('input', 'output')
order by change_share, date, listing_id, meter
limit 20
