-- Which chip each rented GPU-hour is: the seller's name for it, looked up; unknown names keep a NULL chip.
select
    rental.rental_id,
    rental.date,
    rental.date_kind,
    rental.provider,
    rental.gpu,
    alias.chip,
    rental.pricing,
    rental.usd_per_gpu_hour,
    rental.region,
    rental.config,
    rental.confidence,
    rental.note,
    rental.source_url
from raw.gpu_rental_price as rental
left join core.accelerator_alias as alias on alias.alias = rental.gpu
order by rental.rental_id
