-- What did an hour of each GPU cost on demand, year by year? The panel of sellers changes: read levels, not trends.
select
    chip,
    year(date) as year,
    count(*) as prices,
    count(distinct provider) as providers,
    median(usd_per_gpu_hour) as median_usd_per_gpu_hour
from core.gpu_rental_price
where pricing = 'on_demand' and chip is not null and confidence <> 'low'
group by chip, year(date)
order by chip, year
