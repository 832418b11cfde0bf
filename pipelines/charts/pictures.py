"""Files of one chart: the spec a page embeds, PNG and SVG with title and source inside, CSV of its rows.

Drawing is the slow part of the site, so a chart is drawn again only when its fingerprint changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.charts.spec import compact_json
from pipelines.charts.theme import PICTURE_WIDTH, config, picture_title

if TYPE_CHECKING:
    from pipelines.charts.spec import ChartSpec, Prepared

SUFFIXES = (".js", ".png", ".svg", ".csv")
_COLOURS = 256
_VEGA_LITE = "6.1"
_CLIP_ID = re.compile(r"\bclip(\d+)\b")
_TAG = re.compile(r"<[^>]+>")
_LONG_FRACTION = re.compile(r"(\.\d\d)\d+")


@cache
def drawing_code() -> str:
    """Return the hash of everything that decides how rows become a picture."""
    digest = hashlib.sha256(f"altair {version('altair')}, vl-convert {renderer()}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def renderer() -> str:
    """Return the version of the renderer, which also brings the script that pages run."""
    return version("vl-convert-python")


def fingerprint(spec: ChartSpec, prepared: Prepared, source_line: str) -> str:
    """Return the hash of all that a chart's files hold."""
    parts = (drawing_code(), spec.name, spec.title, source_line, prepared.fingerprint())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_files(spec: ChartSpec, prepared: Prepared, source_line: str, folder: Path) -> None:
    """Draw one chart and write its files but the PNG, see `write_png`."""
    import vl_convert

    tree: dict[str, Any] = spec.draw(prepared).to_dict(validate=False)  # the tests validate every chart
    tree.pop("config", None)
    titled = tree | {
        "config": config(is_dark=False),
        "width": PICTURE_WIDTH,
        "title": picture_title(spec.title, source_line),
    }
    svg = _tidied(vl_convert.vegalite_to_svg(json.dumps(titled), vl_version=_VEGA_LITE))
    pick, options = prepared.pick or (None, ())
    embedded = tree | {
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "usermeta": {
            "pick": pick,
            "options": options,
            "params": [
                param["name"] for param in tree.get("params", ()) if "bind" in param and param["name"] != "pick"
            ],
        },
    }
    path = folder / spec.name
    path.with_suffix(".js").write_text(
        f"(window.freefallCharts ??= {{}})[{json.dumps(spec.name)}] = {compact_json(embedded)};\n", encoding="utf-8"
    )
    path.with_suffix(".svg").write_text(svg, encoding="utf-8")
    prepared.rows.write_csv(path.with_suffix(".csv"))


def write_png(svg: Path) -> None:
    """Write the PNG of an SVG beside it, with a palette: an eighth of the bytes of true colour."""
    import io

    import vl_convert
    from PIL import Image

    drawn = vl_convert.svg_to_png(svg.read_text(encoding="utf-8"), scale=1)
    picture = Image.open(io.BytesIO(drawn)).convert("RGB")
    flat = picture.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    flat.save(svg.with_suffix(".png"), compress_level=9)


def vega_script() -> str:
    """Return Vega, Vega-Lite and the embedding code as one classic script, for pages opened from a disk."""
    import vl_convert

    # A block keeps its top-level names away from those of other scripts.
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg] # its stub forgets the default
    return f"{{{bundle}}}\n"


def _tidied(svg: str) -> str:
    """Number clip paths from 0, as the renderer counts them over the life of the process, and cut long fractions."""
    numbers: dict[str, int] = {}
    svg = _CLIP_ID.sub(lambda match: f"clip{numbers.setdefault(match[1], len(numbers))}", svg)
    return _TAG.sub(lambda tag: _LONG_FRACTION.sub(r"\1", tag[0]), svg)
