"""Every chart there is: one line per page of charts."""

from pipelines.charts import accelerators, capacity, decline, experience, frontier, prices, rentals, scale
from pipelines.charts.spec import ChartSpec

CHARTS: tuple[ChartSpec, ...] = (
    *frontier.CHARTS,
    *decline.CHARTS,
    *prices.CHARTS,
    *accelerators.CHARTS,
    *rentals.CHARTS,
    *experience.CHARTS,
    *capacity.CHARTS,
    *scale.CHARTS,
)
BY_NAME: dict[str, ChartSpec] = {spec.name: spec for spec in CHARTS}
