"""Dagster: assets, checks, schedule; the only place, with definitions.py and the launching verbs, that knows it."""
