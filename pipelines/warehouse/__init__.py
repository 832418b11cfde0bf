"""The archive, the one writer of DuckDB, names, builds and publication."""
