"""Dagster's entry: every asset, check, job and schedule, run in one process."""

import dagster as dg

from pipelines.defs import analysis, ingestion, publication, schedules, warehouse
from pipelines.defs.resources import Warehouse

defs = dg.Definitions(
    assets=[*ingestion.ASSETS, *warehouse.ASSETS, *analysis.ASSETS, *publication.ASSETS],
    jobs=[schedules.DAILY_JOB],
    schedules=[schedules.DAILY_SCHEDULE],
    resources={"warehouse": Warehouse()},
    # One process: there is one writer, and starting a process per asset costs more than the work.
    executor=dg.in_process_executor,
)
