"""freefall: is the price of AI inference in free fall? Data, fits and charts anyone can check.

Data walks one way; each layer knows only those to its left:

    units, paths, config <- schema <- warehouse        tables, archive, DuckDB, identity
    sources                                            payload -> records; never fetches or writes
    sql/                                               raw -> core -> mart, one SELECT per table
    analysis                                           polars frames -> Fit; pure, no I/O, no clock
    charts                                             polars frames -> Altair charts -> static site
    defs, definitions.py, cli                          Dagster assets and the `freefall` command
"""

__version__ = "0.1.0"
