-- table: core.accelerator_shipment
-- severity: critical
-- Ranges are ordered and periods are half-open.
select designer, chip, period, metric, low, central, high
from core.accelerator_shipment
where low > central or central > high or period_to <= period_from
