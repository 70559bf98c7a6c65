"""Colors: whether an accent can be read, and what is made of it for light and dark pages. Pure.

Contrast as WCAG 2.2 defines it (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio), tones by OKLCH
(https://www.w3.org/TR/css-color-4/#ok-lab).
"""

from __future__ import annotations

import math
import re
from typing import Final

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record

COLOR: Final = re.compile(r"#[0-9a-f]{6}\Z")
ENOUGH: Final = 4.5
"""WCAG 2.2 AA for text of any size."""
WHITE: Final = "#ffffff"
SUNKEN: Final = "#f1f3f6"
"""The darkest ground of a light page that the accent is written on."""
NIGHT: Final = "#2e3442"
"""The lightest ground of a dark page that the accent is written on."""
INK: Final = "#0d1220"
"""What is written on an accent in the dark."""

Linear = tuple[float, float, float]


class Tones(Record, frozen=True):
    """An accent as light and dark pages use it."""

    light: str
    dark: str


def contrast(first: str, second: str) -> float:
    """How well two colors tell apart: from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tones(accent: str) -> Tones:
    """The tones of an accent; ``Refused`` for what is no color, and for one that nobody can read on a light page.

    For dark pages its lightness is raised until it can be read there, and its hue is kept.
    """
    if COLOR.match(accent) is None:
        raise Refused("That is not a color.", code="color_invalid", hint="Write it as #2450b8.")
    on = min(contrast(accent, WHITE), contrast(accent, SUNKEN))
    if on < ENOUGH:
        raise Refused(
            f"White on this color, or this color on white, has a contrast of {on:.1f} to 1; it takes {ENOUGH} to 1.",
            code="color_too_light",
            hint=f"The nearest of this hue that can be read is {readable(accent)}.",
        )
    return Tones(light=accent, dark=_towards(accent, grounds=(NIGHT, INK), step=0.01))


def readable(accent: str) -> str:
    """The nearest darker tone of a color's hue that can be read on light pages, and that white can be read on."""
    return _towards(accent, grounds=(WHITE, SUNKEN), step=-0.01)


def _towards(accent: str, *, grounds: tuple[str, ...], step: float) -> str:
    lightness, chroma, hue = _oklch(accent)
    found = accent
    while min(contrast(found, ground) for ground in grounds) < ENOUGH and 0 <= lightness <= 1:
        lightness += step
        found = _hex(lightness, chroma, hue)
    return found


def _linear(color: str) -> Linear:
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def _luminance(color: str) -> float:
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(color: str) -> tuple[float, float, float]:
    red, green, blue = _linear(color)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The color, with as much of its chroma as a screen can show."""
    while True:
        a, b = chroma * math.cos(hue), chroma * math.sin(hue)
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
        if chroma < 0.001 or all(-0.001 <= part <= 1.001 for part in linear):
            return "#" + "".join(f"{_byte(part):02x}" for part in linear)
        chroma *= 0.96


def _byte(part: float) -> int:
    part = min(1.0, max(0.0, part))
    return round(255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))


def image_type(content: bytes) -> str:
    """The media type of a picture by its first bytes: PNG, JPEG or WebP; empty for anything else.

    SVG is left out: it is a document that may hold scripts.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""
