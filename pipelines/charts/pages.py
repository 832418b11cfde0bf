"""Pages: what `dashboards/*.toml` say, filled with charts, parts and tables.

A page file states title, order and text; every number on a page comes from a frame.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from pipelines.charts.blocks import BLOCKS, Surroundings, no_data
from pipelines.charts.markup import inline_text, prose, table
from pipelines.charts.registry import BY_NAME
from pipelines.charts.spec import ChartSpec, Frames, NoDataError, Prepared

CLAIMS_FILE = "claims"
_PAGE_KEYS = {"title", "nav", "order", "description", "lead", "claims", "section"}
_SECTION_KEYS = {"heading", "text", "block", "chart", "limits", "sql"}


@dataclass(frozen=True)
class Page:
    """One page file.

    Attributes:
        name: file name without suffix.
        tree: its content.
    """

    name: str
    tree: Mapping[str, Any]

    @property
    def sections(self) -> Sequence[Mapping[str, Any]]:
        """What stands on the page, in order."""
        return tuple(self.tree.get("section", ()))

    @property
    def claims(self) -> tuple[str, ...]:
        """Claims the page treats."""
        return tuple(self.tree.get("claims", ()))


@dataclass(frozen=True)
class Shown:
    """A chart as a page shows it.

    Attributes:
        spec: its declaration.
        prepared: its rows; None when there are none.
        source_line: whose data it is.
        reason: why there is nothing to show.
    """

    spec: ChartSpec
    prepared: Prepared | None
    source_line: str
    reason: NoDataError | None = None


def read_pages(folder: Path) -> list[Page]:
    """Read the page files, in the order of the menu.

    Raises:
        ValueError: naming the file, when it has an unknown key or names an unknown chart or part.
    """
    pages = []
    for path in sorted(folder.glob("*.toml")):
        if path.stem == CLAIMS_FILE:
            continue
        page = Page(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        unknown = set(page.tree) - _PAGE_KEYS
        for section in page.sections:
            unknown |= set(section) - _SECTION_KEYS
            unknown |= {section["chart"]} - set(BY_NAME) if "chart" in section else set()
            unknown |= {section["block"]} - set(BLOCKS) if "block" in section else set()
        if unknown:
            raise ValueError(f"{path}: unknown keys, charts or parts {sorted(unknown)}")
        pages.append(page)
    return sorted(pages, key=lambda page: (page.tree["order"], page.name))


def render_page(
    page: Page,
    pages: Sequence[Page],
    template: Template,
    shown: Mapping[str, Shown],
    frames: Frames,
    around: Surroundings,
    built: str,
) -> str:
    """Return the HTML of one page."""
    names = [section["chart"] for section in page.sections if "chart" in section]
    drawn = [name for name in names if shown[name].prepared]
    scripts = (
        ["static/vega.js", "static/theme.js", *(f"charts/{name}.js" for name in drawn)]
        if drawn
        else ["static/theme.js"]
    )
    menu = "\n".join(_menu_entry(other, is_here=other is page) for other in pages)
    return template.substitute(
        title=escape(page.tree["title"]),
        description=escape(" ".join(page.tree["description"].split())),
        menu=menu,
        lead=prose(page.tree["lead"]),
        body="\n".join(_section(section, shown, frames, around) for section in page.sections),
        built=built,
        scripts="\n".join(f'<script src="{script}" defer></script>' for script in (*scripts, "static/site.js")),
    )


def _menu_entry(page: Page, *, is_here: bool) -> str:
    here = ' aria-current="page"' if is_here else ""
    return f'<li><a href="{page.name}.html"{here}>{escape(page.tree["nav"])}</a></li>'


def _section(section: Mapping[str, Any], shown: Mapping[str, Shown], frames: Frames, around: Surroundings) -> str:
    chart = shown[section["chart"]] if "chart" in section else None
    heading = section.get("heading") or (chart.spec.title if chart else "")
    parts = [f"<h2>{escape(heading)}</h2>"] if heading else []
    if "text" in section:
        parts.append(prose(section["text"]))
    if "limits" in section:
        items = "\n".join(f"<li>{inline_text(limit)}</li>" for limit in section["limits"])
        parts.append(f'<ul class="limits">\n{items}\n</ul>')
    if "block" in section:
        parts.append(_block(section["block"], frames, around))
    if chart:
        parts.append(_chart(chart))
    for query in section.get("sql", ()):
        parts.append(f"<p>{inline_text(query['question'])}</p>")
        parts.append(f'<pre tabindex="0"><code>{escape(query["query"].strip())}</code></pre>')
    anchor = f' id="{chart.spec.name}"' if chart else ""
    return f"<section{anchor}>\n" + "\n".join(parts) + "\n</section>"


def _block(name: str, frames: Frames, around: Surroundings) -> str:
    try:
        return BLOCKS[name].render(frames, around)
    except NoDataError as error:
        return no_data(error)


def _chart(shown: Shown) -> str:
    name, prepared = shown.spec.name, shown.prepared
    if prepared is None:
        return no_data(shown.reason or NoDataError("There are no rows yet."))
    alt_text = escape(prepared.alt_text)
    rows = table(
        prepared.rows,
        shown.spec.table_columns,
        caption=shown.spec.title,
        full=f"The [CSV](charts/{name}.csv) holds all of them.",
    )
    title = escape(shown.spec.title)
    links = " ".join(
        f'<a href="charts/{name}.{kind.lower()}" aria-label="{title}, {kind}" download>{kind}</a>'
        for kind in ("PNG", "SVG", "CSV")
    )
    return f"""<figure data-chart="{name}">
<div role="img" aria-label="{alt_text}"><div class="view"></div></div>
<noscript><img src="charts/{name}.png" alt="{alt_text}"></noscript>
<div class="controls"></div>
<figcaption>{alt_text} <span class="source">{escape(shown.source_line)}</span></figcaption>
<p class="links">{links}</p>
<details><summary>The numbers as a table</summary>
{rows}
</details>
</figure>"""
