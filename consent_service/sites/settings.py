"""Read a site's settings: where its pages are, what is left out, how the banner looks and behaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from consent_service.documents import (
    Found,
    StrictModel,
    Unreadable,
    canonical_json,
    load_model,
    placed,
    read_document,
)
from consent_service.fields import Host, HostPattern, Identifier, Name, OptionalUrl, PathPrefix, Region, check_origin
from consent_service.places import Format
from consent_service.problems import Problem, ProblemsError
from consent_service.sites.colors import contrast_problem, is_hex_color


class Layout(StrEnum):
    """Say where the banner stands."""

    BAR = "bar"
    CORNER = "corner"
    DIALOG = "dialog"


class Theme(StrEnum):
    """Say whether the banner is light, dark, or as the visitor's system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class AfterWithdrawal(StrEnum):
    """Say what the page does once a visitor has withdrawn."""

    STAY = "stay"
    RELOAD = "reload"


class Gpc(StrEnum):
    """Say what the Global Privacy Control signal means at the site."""

    REFUSE = "refuse"
    ASK = "ask"
    IGNORE = "ignore"


class GoogleConsent(StrEnum):
    """Name the consent types of Google's consent mode."""

    AD_STORAGE = "ad_storage"
    AD_USER_DATA = "ad_user_data"
    AD_PERSONALIZATION = "ad_personalization"
    ANALYTICS_STORAGE = "analytics_storage"
    FUNCTIONALITY_STORAGE = "functionality_storage"
    PERSONALIZATION_STORAGE = "personalization_storage"
    SECURITY_STORAGE = "security_storage"


class UetConsent(StrEnum):
    """Name the consent types of Microsoft's UET."""

    AD_STORAGE = "ad_storage"


class ClarityConsent(StrEnum):
    """Name the consent types of Microsoft's Clarity."""

    AD_STORAGE = "ad_storage"
    ANALYTICS_STORAGE = "analytics_storage"


def _check_color(value: str) -> str:
    if not is_hex_color(value):
        raise ValueError("is not a colour such as #0842a0")
    return value


@cache
def _zones() -> set[str]:
    # Walks through the files of the time zone database: 15 ms.
    return available_timezones()


def _check_zone(value: str) -> str:
    if value not in _zones():
        raise ValueError("is not a time zone such as Europe/Paris")
    return value


def _check_path(value: str) -> str:
    if not value.startswith("/") or any(sign in value for sign in "?#[] \t\n"):
        raise ValueError("must be a path such as /admin/*, in which * stands for anything")
    return value


def _check_network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as error:
        raise ValueError("is not an address or network such as 192.0.2.0/24") from error
    return value


def _check_key(value: str) -> str:
    if any(sign in value for sign in "&=#? \t\n"):
        raise ValueError("is not the name of a query parameter")
    return value


class Colors(StrictModel):
    """Hold the colour of both buttons; one set, so that neither choice stands out."""

    accent: Annotated[str, AfterValidator(_check_color)] = "#0842a0"


class BannerSettings(StrictModel):
    """Say how the banner looks."""

    layout: Layout = Layout.BAR
    theme: Theme = Theme.AUTO
    logo_url: OptionalUrl = ""
    colors: Colors = Colors()


class Signals(StrictModel):
    """Say what the browser's signals mean."""

    gpc: Gpc = Gpc.REFUSE


class Blocking(StrictModel):
    """Hold requests to a host back until a purpose is granted."""

    purpose: Identifier
    host: HostPattern


_Origin = Annotated[str, Field(max_length=300), AfterValidator(check_origin)]
_Path = Annotated[str, Field(max_length=300), AfterValidator(_check_path)]
_Key = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_key)]
_Network = Annotated[str, AfterValidator(_check_network)]
_ConsentMode = dict[Identifier, Annotated[tuple[GoogleConsent, ...], Field(min_length=1)]]
_Uet = dict[Identifier, Annotated[tuple[UetConsent, ...], Field(min_length=1)]]
_Clarity = dict[Identifier, Annotated[tuple[ClarityConsent, ...], Field(min_length=1)]]


class SiteSettings(StrictModel):
    """Hold the settings of one site; without `origins` those of the domain and its www host are meant."""

    name: Name
    domain: Host
    origins: Annotated[tuple[_Origin, ...], Field(max_length=100)] = Field(
        default_factory=lambda given: _own_origins(given.get("domain", ""))
    )
    timezone: Annotated[str, AfterValidator(_check_zone)] = "Europe/Paris"
    retention_days: Annotated[int, Field(ge=1, le=1095)] = 395
    paused: bool = False
    service_path: PathPrefix = ""
    share_subdomains: bool = False
    allowed_query_keys: Annotated[tuple[_Key, ...], Field(max_length=50)] = ("page",)
    excluded_paths: Annotated[tuple[_Path, ...], Field(max_length=100)] = ()
    excluded_addresses: Annotated[tuple[_Network, ...], Field(max_length=100)] = ()
    coverage_counts: bool = False
    after_withdrawal: AfterWithdrawal = AfterWithdrawal.STAY
    banner: BannerSettings = BannerSettings()
    signals: Signals = Signals()
    consent_mode: Annotated[_ConsentMode, Field(max_length=20)] = Field(default_factory=dict)
    consent_mode_regions: Annotated[tuple[Region, ...], Field(max_length=300)] = ()
    uet: Annotated[_Uet, Field(max_length=20)] = Field(default_factory=dict)
    clarity: Annotated[_Clarity, Field(max_length=20)] = Field(default_factory=dict)
    blocking: Annotated[tuple[Blocking, ...], Field(max_length=200)] = ()

    def document(self) -> dict[str, Any]:
        """Give the settings as JSON-able values with every key written out."""
        return self.model_dump(mode="json")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read back what `document` gave; missing keys take their defaults, as in a file."""
        return cls.model_validate_json(canonical_json(document))


class SettingsError(ProblemsError):
    """Refuse a settings file; carries every problem."""


def parse_settings(text: str | bytes, *, format: Format) -> SiteSettings:
    """Read settings of TOML or JSON strictly; raises SettingsError with every problem at once."""
    try:
        document, places, found = read_document(text, format)
    except Unreadable as error:
        raise SettingsError([error.problem]) from error
    settings, shape = load_model(SiteSettings, document)
    problems = placed([*found, *shape, *_broken_rules(document)], places)
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def effective_retention(policy_days: int, site_days: int) -> int:
    """Give the days events are kept: a site may shorten what its policy promises, never lengthen it."""
    return min(policy_days, site_days)


def matches_path(settings: SiteSettings, path: str) -> bool:
    """Say whether a page's path is one the site excludes; `*` stands for anything, slashes included."""
    return any(fnmatchcase(path, pattern) for pattern in settings.excluded_paths)


def matches_address(settings: SiteSettings, address: str) -> bool:
    """Say whether the site excludes a client's address; an IPv4 address inside IPv6 counts as itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _networks(settings.excluded_addresses))


def unknown_purposes(settings: SiteSettings, purpose_ids: Iterable[str]) -> list[Problem]:
    """Tell which settings name a purpose that the site's policy does not have."""
    known = frozenset(purpose_ids)
    named = [(f"consent_mode.{purpose}", purpose) for purpose in settings.consent_mode]
    named += [(f"uet.{purpose}", purpose) for purpose in settings.uet]
    named += [(f"clarity.{purpose}", purpose) for purpose in settings.clarity]
    named += [(f"blocking[{at}].purpose", entry.purpose) for at, entry in enumerate(settings.blocking)]
    return [
        Problem(place, None, f"names the purpose {purpose}, which the policy does not have")
        for place, purpose in named
        if purpose not in known
    ]


@cache
def _networks(written: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network) for network in written)


def _own_origins(domain: str) -> tuple[str, ...]:
    return (f"https://{domain}", f"https://www.{domain}")


def _broken_rules(document: Mapping[str, Any]) -> Iterator[Found]:
    for key in ("origins", "allowed_query_keys", "excluded_paths", "excluded_addresses", "consent_mode_regions"):
        given = document.get(key)
        items: list[Any] = given[:300] if isinstance(given, list) else []
        for index, item in enumerate(items):
            if item in items[:index]:
                yield (key, index), f"repeats {item}"
    banner = document.get("banner")
    colors = banner.get("colors") if isinstance(banner, dict) else None
    accent = colors.get("accent") if isinstance(colors, dict) else None
    if isinstance(banner, dict) and isinstance(accent, str) and is_hex_color(accent):
        problem = contrast_problem(accent, on_light=banner.get("theme") != Theme.DARK)
        if problem:
            yield ("banner", "colors", "accent"), problem
