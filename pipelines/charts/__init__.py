"""Charts and the static site: frames in, `dashboards/site/` out.

What belongs here: what a reader sees. What does not: estimates (analysis), SQL, HTTP, Dagster.
Each page of charts is one file whose `CHARTS` name its pictures; `registry.py` lists them all;
`site.py` draws them and fills the pages that `dashboards/*.toml` describe.
"""
