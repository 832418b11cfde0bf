"""PNG pictures with a palette: a third of the bytes that the renderer writes, for a few hundredths of a second each.

What belongs here: the few parts of the PNG format that flat, opaque charts need. A picture of another kind
is returned as it came.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import polars as pl

_SIGNATURE = 8
_RGBA_EIGHT_BITS = (8, 6, 0, 0, 0)
_SUBTRACT_LEFT = 1
_COLOURS = 256
_SHADES = 256
# Steps of eight cannot be told apart by eye and merge most shades of smoothed edges.
_STEP = 8


def with_palette(png: bytes) -> bytes:
    """Return the picture with at most 256 colours."""
    parts = list(_chunks(png))
    width, height, *kind = struct.unpack(">IIBBBBB", parts[0][1])
    pixels = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    stride = 4 * width + 1
    if tuple(kind) != _RGBA_EIGHT_BITS or any(form != _SUBTRACT_LEFT for form in pixels[::stride]):
        return png
    red, green, blue = (_channel(pixels, width, channel) for channel in range(3))
    colours = (red * _SHADES + green) * _SHADES + blue
    places = _places(colours)
    indexed = bytes(colours.replace_strict(list(places), list(places.values()), return_dtype=pl.UInt8).to_list())
    rows = b"".join(b"\0" + indexed[start : start + width] for start in range(0, len(indexed), width))
    palette = b"".join(bytes(_shades(colour)) for colour in list(places)[:_COLOURS])
    return png[:_SIGNATURE] + b"".join(
        _chunk(name, body)
        for name, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
    )


def _channel(pixels: bytes, width: int, channel: int) -> pl.Series:
    """Return one channel of all pixels, in steps: each byte is the difference to the pixel on its left."""
    stride = 4 * width + 1
    left = b"".join(pixels[start + 1 + channel : start + stride : 4] for start in range(0, len(pixels), stride))
    flat = pl.Series([left]).bin.reinterpret(dtype=pl.Array(pl.UInt8, len(left))).explode()
    sums = flat.cast(pl.UInt32).cum_sum()
    before = sums.gather_every(width, width - 1).shift(1, fill_value=0).repeat_by(width).explode()
    shades = (sums - before) % _SHADES
    return ((shades + _STEP // 2) // _STEP * _STEP).clip(upper_bound=_SHADES - 1)


def _places(colours: pl.Series) -> dict[int, int]:
    """Give the commonest colours a place of their own, and each other colour that of the nearest.

    So a mark keeps its colour, and only the smoothed edges give way.
    """
    counted = colours.alias("colour").value_counts().sort("count", "colour", descending=[True, False])
    ordered = counted["colour"].to_list()
    places = {colour: place for place, colour in enumerate(ordered[:_COLOURS])}
    own = [(_shades(colour), place) for colour, place in places.items()]
    for colour in ordered[_COLOURS:]:
        red, green, blue = _shades(colour)
        _, places[colour] = min(
            ((r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2, place) for (r, g, b), place in own
        )
    return places


def _shades(colour: int) -> tuple[int, int, int]:
    return colour // _SHADES**2, colour // _SHADES % _SHADES, colour % _SHADES


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = _SIGNATURE
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
