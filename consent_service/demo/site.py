"""Give the demo site's policy and settings, for the address at which it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from consent_service.config import Config
from consent_service.consent.policy import Policy, parse_policy
from consent_service.demo.pages import CONTENT
from consent_service.sites.settings import SiteSettings, parse_settings


@dataclass(frozen=True, slots=True)
class DemoSite:
    """Hold what the demo publishes."""

    settings: SiteSettings
    policy: Policy


def load_site(config: Config) -> DemoSite:
    """Read policy and settings; the origins are PUBLIC_URL and both names of loopback on its port."""
    settings = parse_settings((CONTENT / "site.toml").read_bytes(), format="toml")
    document = settings.document() | {"origins": list(origins(config.public_url))}
    policy = parse_policy((CONTENT / "policy.toml").read_bytes(), format="toml")
    return DemoSite(SiteSettings.from_document(document), policy)


def origins(public_url: str) -> tuple[str, ...]:
    """Give the origins whose pages may decide and send events."""
    port = urlsplit(public_url).port
    ending = f":{port}" if port else ""
    return tuple(dict.fromkeys([public_url, f"http://127.0.0.1{ending}", f"http://localhost{ending}"]))
