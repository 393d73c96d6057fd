"""Make the hosted privacy page: as structured data, and as a page that needs no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import nh3
from babel import Locale, UnknownLocaleError
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from consent_service.consent.banner import resolve_language
from consent_service.consent.privacy_sections import Block, Matter, section, sections
from consent_service.consent.publication import PolicyVersion
from consent_service.consent.texts import text_direction, words
from consent_service.sites.settings import SiteSettings

# No image: it would make the reader's browser call others before any choice.
_TAGS: Final = frozenset(
    "a blockquote br code em h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()
)


def privacy_page(
    site_key: str,
    settings: SiteSettings,
    shown: PolicyVersion,
    language: str | None,
    *,
    is_pinned: bool = False,
    root: str = "",
) -> dict[str, Any]:
    """Give the page as JSON-able data, generated from the fields whatever the Markdown says.

    `is_pinned` keeps the links between languages on this version instead of the newest. `root` is the path under
    which the reader finds the service.
    """
    policy = shown.policy
    spoken = resolve_language(policy, language)
    labels = words(spoken, "privacy")
    matter = Matter(settings, policy, shown.version, shown.published_at, spoken)
    address = f"{root}/privacy/{site_key}/{shown.version}" if is_pinned else f"{root}/privacy/{site_key}"
    written = sections(matter)
    if spoken in policy.privacy:
        block: Block = {"kind": "html", "html": addition_html(policy.privacy[spoken])}
        written.insert(len(written) - 1, section(matter, "addition", [block]))
    return {
        "site": site_key,
        "domain": settings.domain,
        "site_url": matter.site_url,
        "language": spoken,
        "dir": text_direction(spoken),
        "title": labels["title"],
        "controller": policy.controller.name,
        "policy_version": shown.version,
        # As it was published: a newer program might write the same policy out with one key more.
        "policy_hash": shown.content_hash,
        "published_at": shown.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "languages_label": labels["languages"],
        "contents_label": labels["contents"],
        "languages": [
            {"language": each, "name": language_name(each), "url": f"{address}?lang={each}"}
            for each in policy.languages
        ],
        "sections": written,
    }


def render_privacy(
    page: Mapping[str, Any],
    *,
    script_src: str | None = None,
    stylesheet_href: str = "/static/privacy.css",
) -> str:
    """Write the page as HTML without inline style or script.

    With `script_src`, the site's bundle, the control that reopens the choice opens the banner on this page;
    without it, or without scripts, a link leads to the site.
    """
    template = _environment().get_template("privacy.html")
    return template.render(page=page, script_src=script_src, stylesheet_href=stylesheet_href, safe=Markup)


def addition_html(markdown: str) -> str:
    """Turn a policy's Markdown into HTML that can carry no script, image or raw tag."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            # The page has its h1, and the section that holds the addition its h2.
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    html = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def language_name(language: str) -> str:
    """Give a language's own name of itself."""
    try:
        name = Locale.parse(language, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        return language
    return name[:1].upper() + name[1:] if name else language


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("consent_service.consent", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
