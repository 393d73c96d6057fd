"""Measure colours as WCAG 2.2 does, and derive the two buttons' colours from the one accent."""

from __future__ import annotations

import math
import re
from typing import Final

LIGHT_SURFACE: Final = "#ffffff"
LEAST_TEXT_CONTRAST: Final = 4.5
LEAST_EDGE_CONTRAST: Final = 3.0
_DARK_LABEL: Final = "#111111"
_LIGHT_LABEL: Final = "#ffffff"
# Above this luminance black reads better than white.
_BRIGHT: Final = 0.179
# From this luminance on, a button stands out from any dark banner, and its words have a contrast of 7.5 at least.
_LIT: Final = 0.38


def is_hex_color(value: str) -> bool:
    """Say whether a text is a colour such as #0842a0 or #05d."""
    return re.fullmatch("#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value) is not None


def luminance(color: str) -> float:
    """Give the relative luminance of a hex colour, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (_linear(part / 255) for part in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two hex colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def label_on(accent: str) -> str:
    """Give the colour of the words on a button of this colour."""
    return _DARK_LABEL if luminance(accent) > _BRIGHT else _LIGHT_LABEL


def lifted(accent: str) -> str:
    """Give the colour moved towards white until it stands out from a dark banner; a bright one is given back."""
    color = accent
    while luminance(color) < _LIT:
        color = "#" + "".join(f"{math.ceil(part + (255 - part) * 0.15):02x}" for part in _channels(color))
    return color


def contrast_problem(accent: str, *, on_light: bool) -> str | None:
    """Say why an accent cannot colour the buttons, or None.

    On a dark banner the accent is lifted until it stands out, so only a light one is checked.
    """
    text = contrast(accent, label_on(accent))
    if text < LEAST_TEXT_CONTRAST:
        return (
            f"gives the words on the buttons a contrast of {text:.2f}; "
            f"{LEAST_TEXT_CONTRAST} is needed, so take a darker or lighter one"
        )
    edge = contrast(accent, LIGHT_SURFACE)
    if on_light and edge < LEAST_EDGE_CONTRAST:
        return (
            f"stands out from a white banner with a contrast of {edge:.2f}; "
            f"{LEAST_EDGE_CONTRAST:.0f} is needed, so take a darker one"
        )
    return None


def _channels(color: str) -> tuple[int, int, int]:
    digits = color.removeprefix("#")
    full = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    return int(full[:2], 16), int(full[2:4], 16), int(full[4:], 16)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
