"""Write the rules that a banner's style sheet gets from its site's settings: theme, colours and layout."""

from __future__ import annotations

import json
from functools import cache

from consent_service.resources import data_dir
from consent_service.sites.colors import label_on, lifted
from consent_service.sites.settings import BannerSettings, Theme


def banner_style(banner: BannerSettings) -> str:
    """Give the rules that stand behind the client's own sheet in the banner's shadow root.

    Only what the site uses travels: its layout, the logo's size when it has one, the theme's colours.
    """
    accent, dark = banner.colors.accent, lifted(banner.colors.accent)
    light_rule = f":host{{color-scheme:light!important;{_buttons(accent)}}}"
    dark_rule = f":host{{color-scheme:dark!important;{_buttons(dark)}}}"
    colors = {
        Theme.LIGHT: light_rule,
        Theme.DARK: dark_rule,
        Theme.AUTO: f"{light_rule}@media(prefers-color-scheme:dark){{{dark_rule}}}",
    }[banner.theme]
    return colors + _layouts()[banner.layout] + (_layouts()["logo"] if banner.logo_url else "")


def _buttons(accent: str) -> str:
    return f"--button:{accent};--label:{label_on(accent)}"


@cache
def _layouts() -> dict[str, str]:
    found: dict[str, str] = json.loads((data_dir("static") / "consent.layouts.json").read_bytes())
    return found
