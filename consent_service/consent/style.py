"""Write the rules that a banner's style sheet gets from its site's settings: theme, colours and layout."""

from __future__ import annotations

import json
from functools import cache

from consent_service.resources import data_dir
from consent_service.sites.colors import label_on, lifted
from consent_service.sites.settings import BannerSettings, Theme


def banner_style(banner: BannerSettings) -> str:
    """Give the rules that stand behind the client's own sheet in the banner's shadow root.

    Only what the site uses travels: its layout, the logo when it has one, the theme's colours.
    """
    accent, dark = banner.colors.accent, lifted(banner.colors.accent)
    # The client's own sheet follows the browser; a theme that was chosen says so.
    colors = {
        Theme.LIGHT: f":host{{color-scheme:light!important;{_buttons(accent)}}}",
        Theme.DARK: f":host{{color-scheme:dark!important;{_buttons(dark)}}}",
        Theme.AUTO: f":host{{{_buttons(accent)}}}@media(prefers-color-scheme:dark){{:host{{{_buttons(dark)}}}}}",
    }[banner.theme]
    return colors + _layouts()[banner.layout] + (_logo(banner.logo_url) if banner.logo_url else "")


def _logo(url: str) -> str:
    # The settings take no address with a quote, a backslash or a line end in it: nothing ends the string but we.
    return _layouts()["logo"].replace("url(logo)", f'url("{url}")')


def _buttons(accent: str) -> str:
    return f"--button:{accent};--label:{label_on(accent)}"


@cache
def _layouts() -> dict[str, str]:
    found: dict[str, str] = json.loads((data_dir("static") / "consent.layouts.json").read_bytes())
    return found
