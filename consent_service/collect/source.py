"""Tell where a visit came from: referrer, campaign parameters and the kind of click id (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

MAX_TEXT = 300

# The names under which reports show the hosts that send most readers; others are shown by their host.
SOURCES: Mapping[str, str] = {
    "google": "Google",
    "bing": "Bing",
    "duckduckgo": "DuckDuckGo",
    "ecosia": "Ecosia",
    "qwant": "Qwant",
    "yahoo": "Yahoo!",
    "yandex": "Yandex",
    "baidu": "Baidu",
    "startpage": "Startpage",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "twitter": "Twitter",
    "reddit": "Reddit",
    "youtube": "YouTube",
    "pinterest": "Pinterest",
    "chatgpt": "ChatGPT",
    "perplexity": "Perplexity",
    "wikipedia": "Wikipedia",
}
HOSTS: Mapping[str, str] = {
    "t.co": "Twitter",
    "x.com": "Twitter",
    "l.facebook.com": "Facebook",
    "lm.facebook.com": "Facebook",
    "lnkd.in": "LinkedIn",
    "youtu.be": "YouTube",
    "bsky.app": "Bluesky",
    "go.bsky.app": "Bluesky",
    "news.ycombinator.com": "Hacker News",
    "news.google.com": "Google News",
    "com.google.android.gm": "Gmail",
    "search.brave.com": "Brave",
    "copilot.microsoft.com": "Copilot",
    "gemini.google.com": "Gemini",
    "claude.ai": "Claude",
}
CLICK_IDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "dclid",
    "yclid",
)
_UTM = ("source", "medium", "campaign", "content", "term")


@dataclass(frozen=True, slots=True)
class Source:
    """Hold where a visit came from, empty where unknown; `click_id` is the kind, never the value."""

    source: str
    referrer: str
    click_id: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """Hold the campaign parameters of the page's address."""

    source: str
    medium: str
    campaign: str
    content: str
    term: str


def read_campaign(query: str) -> Campaign:
    """Read the five campaign parameters, each cut to 300 characters."""
    found = _first_values(query)
    return Campaign(*(found.get(f"utm_{name}", "")[:MAX_TEXT] for name in _UTM))


def read_source(referrer: str | None, query: str, is_own: Callable[[str], bool]) -> Source:
    """Tell the source by `utm_source`, `source` or `ref` in the address, else by the referrer's host.

    A referrer on a host of the site's own is none. Of a referrer only host and path are kept.
    """
    found = _first_values(query)
    click_id = next((name for name in CLICK_IDS if name in found), "")
    host, path = _host_and_path(referrer)
    if host and (is_own(host) or is_own(host.removeprefix("www."))):
        host, path = "", ""
    named = next((found[name] for name in ("utm_source", "source", "ref") if found.get(name)), "")[:MAX_TEXT]
    source = _named(named) if named else _of_host(host)
    return Source(source, f"{host}{path}"[:MAX_TEXT] if host else "", click_id)


def _first_values(query: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name.lower(), value.strip())
    return values


def _host_and_path(referrer: str | None) -> tuple[str, str]:
    if not referrer:
        return "", ""
    try:
        parts = urlsplit(referrer)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", ""
    if parts.scheme not in ("http", "https", "android-app"):
        return "", ""
    return host, parts.path.rstrip("/")


def _named(value: str) -> str:
    return SOURCES.get(value.lower()) or HOSTS.get(value.lower()) or value


def _of_host(host: str) -> str:
    if not host:
        return ""
    bare = host.removeprefix("www.")
    if bare in HOSTS:
        return HOSTS[bare]
    # google.fr, google.co.uk, m.facebook.com, fr.wikipedia.org: a label left of the suffix names the source.
    for label in bare.split(".")[:-1][-3:]:
        if label in SOURCES:
            return SOURCES[label]
    return bare
