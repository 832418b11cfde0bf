"""The daily job and its schedule."""

import dagster as dg

from pipelines.config import SCHEDULE_CRON, SCHEDULE_TIMEZONE

DAILY_JOB = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    description="Everything: sources, warehouse, fits, checks, publication. Unchanged tables are skipped.",
)

DAILY_SCHEDULE = dg.ScheduleDefinition(
    name="daily_at_six",
    job=DAILY_JOB,
    cron_schedule=SCHEDULE_CRON,
    execution_timezone=SCHEDULE_TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every day at 06:00 UTC; set FREEFALL_LIVE=1 where Dagster runs to poll the live sources.",
)
