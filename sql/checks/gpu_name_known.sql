-- table: core.gpu_rental_price
-- severity: warning
-- Every rented accelerator's name is in the alias list.
select distinct gpu from core.gpu_rental_price where chip is null
