"""Measure colours as WCAG 2.2 does, and derive the two buttons' colours from the one accent."""

from __future__ import annotations

import re
from typing import Final

LIGHT_SURFACE: Final = "#ffffff"
LEAST_TEXT_CONTRAST: Final = 4.5
LEAST_EDGE_CONTRAST: Final = 3.0
_DARK_LABEL: Final = "#111111"
_LIGHT_LABEL: Final = "#ffffff"
# Above this luminance black reads better than white; the client draws the line at the same place.
_BRIGHT: Final = 0.179


def is_hex_color(value: str) -> bool:
    """Say whether a text is a colour such as #0b57d0 or #05d."""
    return re.fullmatch("#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value) is not None


def luminance(color: str) -> float:
    """Give the relative luminance of a hex colour, 0 to 1 (WCAG 2.2)."""
    digits = color.removeprefix("#")
    full = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    red, green, blue = (_linear(int(full[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two hex colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def label_on(accent: str) -> str:
    """Give the colour of the words on a button of this colour, as the client computes it."""
    return _DARK_LABEL if luminance(accent) > _BRIGHT else _LIGHT_LABEL


def contrast_problem(accent: str, *, on_light: bool) -> str | None:
    """Say why an accent cannot colour the buttons, or None.

    On a dark surface the client lifts the accent until it stands out, so only a light one is checked.
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


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
