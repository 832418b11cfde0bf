"""Pure estimators: polars frames in, polars frames or a `Fit` out; one file per topic.

What belongs here: the statistics, from a frontier to a learning rate. What does not: files, HTTP,
DuckDB, the clock, global state and charts. A random generator is an argument. A statistical fit is
never called a model: a model is an LLM.
"""
