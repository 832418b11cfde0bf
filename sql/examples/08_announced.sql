-- Which price changes are announced and have not happened?
select announced_for, listing_id, meter, usd_per_mtok, known_from, source
from core.announced_price
where known_to is null
order by announced_for, listing_id, meter
