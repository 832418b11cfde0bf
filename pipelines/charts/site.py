"""The static site: frames and page files in, a folder that a browser opens from the disk out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from string import Template

import polars as pl

from pipelines.charts.blocks import BLOCKS, Surroundings
from pipelines.charts.pages import Page, Shown, read_pages, render_page
from pipelines.charts.pictures import SUFFIXES, fingerprint, renderer, vega_script, write_files, write_png
from pipelines.charts.registry import CHARTS
from pipelines.charts.spec import ChartSpec, Frames, NoDataError, compact_json
from pipelines.charts.theme import config
from pipelines.paths import DASHBOARDS

_TABLES_OF_PARTS = (
    ("core.source",),
    *(spec.tables for spec in CHARTS),
    *(block.tables for block in BLOCKS.values()),
)
REQUIRED_TABLES: tuple[str, ...] = tuple(sorted({table for tables in _TABLES_OF_PARTS for table in tables}))
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class SiteBuild:
    """What a build did.

    Attributes:
        pages: pages written.
        charts_drawn: charts drawn in this build.
        charts_kept: charts carried over, because nothing in them changed.
        files: files of the site.
        bytes: size of the site.
    """

    pages: int
    charts_drawn: int
    charts_kept: int
    files: int
    bytes: int


def build_site(frames: Mapping[str, pl.DataFrame], site: Path, *, code_version: str, as_built: datetime) -> SiteBuild:
    """Build the site beside the old one and swap it in; a failure leaves the old one as it was.

    Args:
        frames: tables by qualified name, see `REQUIRED_TABLES`; a missing or empty one shows as "no data".
        site: folder to replace.
        code_version: version of freefall, printed on each page.
        as_built: UTC instant of the database, printed on each page; ages of sources are counted to it.

    Raises:
        ValueError: when a frame lacks a column, a chart has too many rows, or a page file is wrong.
    """
    fresh, old = site.with_name(f".{site.name}-new"), site.with_name(f".{site.name}-old")
    if old.exists() and not site.exists():
        old.rename(site)  # the last build was killed between its two renames
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        built = _fill(fresh, frames, site, code_version, as_built)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if site.exists():
        site.rename(old)
    fresh.rename(site)
    shutil.rmtree(old, ignore_errors=True)
    return built


def _fill(fresh: Path, frames: Frames, old: Path, code_version: str, as_built: datetime) -> SiteBuild:
    pages = read_pages(DASHBOARDS)
    charts = fresh / "charts"
    charts.mkdir(parents=True)
    manifest = _manifest(old)
    shown = {spec.name: _shown(spec, frames) for spec in CHARTS}
    hashes: dict[str, str] = {}
    kept = 0
    # The renderer lets go of Python while it works, so pictures are made beside the next chart's drawing.
    with ThreadPoolExecutor(max_workers=2) as pool:
        pending = [pool.submit(_write_static, fresh, old, is_same_renderer=manifest.get("renderer") == renderer())]
        for name, chart in shown.items():
            if chart.prepared is None:
                continue
            hashes[name] = fingerprint(chart.spec, chart.prepared, chart.source_line)
            files = [(old / "charts" / name).with_suffix(suffix) for suffix in SUFFIXES]
            if manifest.get(name) == hashes[name] and all(path.is_file() for path in files):
                for path in files:
                    shutil.copyfile(path, charts / path.name)
                kept += 1
            else:
                write_files(chart.spec, chart.prepared, chart.source_line, charts)
                pending.append(pool.submit(write_png, (charts / name).with_suffix(".svg")))
        for picture in pending:
            picture.result()
    _write_pages(fresh, pages, shown, frames, code_version, as_built)
    (fresh / _MANIFEST).write_text(compact_json({**hashes, "renderer": renderer()}) + "\n", encoding="utf-8")
    sizes = [path.stat().st_size for path in fresh.rglob("*") if path.is_file()]
    return SiteBuild(len(pages), len(hashes) - kept, kept, len(sizes), sum(sizes))


def _manifest(site: Path) -> dict[str, str]:
    try:
        return dict(json.loads((site / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _shown(spec: ChartSpec, frames: Frames) -> Shown:
    try:
        prepared = spec.prepare(frames)
    except NoDataError as reason:
        return Shown(spec, None, "", reason)
    return Shown(spec, prepared, source_line(frames, (*prepared.sources, *spec.sources)))


def source_line(frames: Frames, names: tuple[str, ...]) -> str:
    """Return the attribution of some sources; one that core.source lacks stands by its name."""
    known = frames.get("core.source")
    lines = (
        dict(known.select("source", "attribution").iter_rows()) if known is not None and not known.is_empty() else {}
    )
    return "Source: " + "; ".join(dict.fromkeys(lines.get(name, name) for name in names))


def _write_static(fresh: Path, old: Path, *, is_same_renderer: bool) -> None:
    static = fresh / "static"
    shutil.copytree(DASHBOARDS / "static", static)
    looks = {"light": config(is_dark=False), "dark": config(is_dark=True)}
    (static / "theme.js").write_text(f"window.freefallThemes = {compact_json(looks)};\n", encoding="utf-8")
    carried = old / "static" / "vega.js"
    if is_same_renderer and carried.is_file():
        shutil.copyfile(carried, static / "vega.js")
    else:
        (static / "vega.js").write_text(vega_script(), encoding="utf-8")


def _write_pages(
    fresh: Path, pages: list[Page], shown: Mapping[str, Shown], frames: Frames, code_version: str, as_built: datetime
) -> None:
    template = Template((DASHBOARDS / "template.html").read_text(encoding="utf-8"))
    around = Surroundings(as_built, {claim: page.name for page in pages for claim in page.claims})
    built = f"freefall {code_version}, database of {as_built:%Y-%m-%d %H:%M} UTC."
    for page in pages:
        text = render_page(page, pages, template, shown, frames, replace(around, claims=page.claims), built)
        (fresh / f"{page.name}.html").write_text(text, encoding="utf-8")
