"""Make the banner config of one site, policy version and language, and the hash that names it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from consent_service.consent.policy_model import Cookie, Exempt, Policy, Purpose
from consent_service.consent.reasking import Outgrown
from consent_service.consent.spoken import say_days
from consent_service.consent.style import banner_style
from consent_service.consent.texts import choose_language, text_direction, words
from consent_service.documents import canonical_json
from consent_service.sites.settings import SiteSettings, effective_retention

# Which pages may decide is no part of what a visitor sees, and the hash cannot contain itself.
_NOT_SHOWN: Final = frozenset({"banner_hash", "scope"})
# By so many digits of its hash a bundle cites a notice: each costs every visit half a byte.
SHORT_HASH: Final = 16
_FILLED: Final = re.compile(r"\{(controller|open|purposes)\}")


def resolve_language(policy: Policy, *wanted: str | None) -> str:
    """Give the policy's language nearest to the first wanted one that has any near, or its default."""
    return choose_language(policy.languages, policy.default_language, *wanted)


def banner_config(
    site_key: str,
    settings: SiteSettings,
    policy: Policy,
    version: int,
    language: str | None,
    *,
    policy_hash: str,
    since: Outgrown,
    asked_again: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Give everything the banner shows and every option of it, with its hash.

    `policy_hash` is the version's content hash as it was published. `since` says which choices stand; `asked_again` is
    what those whose choice does not stand are asked and told.
    """
    spoken = resolve_language(policy, language)
    config: dict[str, Any] = {
        "site": site_key,
        "language": spoken,
        "dir": text_direction(spoken),
        "languages": list(policy.languages),
        "policy_version": version,
        "policy_hash": policy_hash,
        "purposes": [_purpose(policy, purpose, settings, spoken, since) for purpose in policy.purposes],
        "exempt": [_exempt(exempt, spoken) for exempt in policy.exempt],
        "controller": {"name": policy.controller.name},
        "recipients": [{"name": each.name, "country": each.country} for each in policy.recipients],
        "texts": banner_texts(policy, spoken),
        "policy_url": privacy_url(site_key, spoken),
        "valid_days": policy.valid_days,
        "refusal_days": policy.refusal_days,
        **_look(settings),
        **_tools(settings),
        "material_version": since.material_version,
        "refusal_material_version": since.refusal_material_version,
        "scope": list(settings.origins),
        "asked_again": None if asked_again is None else _with_bodies(asked_again, policy, spoken),
    }
    config["banner_hash"] = hashlib.sha256(notice_document(config)).hexdigest()
    return config


def notice_document(config: Mapping[str, Any]) -> bytes:
    """Give the exact bytes that the banner hash is the SHA-256 of; they are kept as what was shown."""
    return canonical_json({key: value for key, value in config.items() if key not in _NOT_SHOWN})


def banner_texts(policy: Policy, language: str) -> dict[str, str]:
    """Give the words of banner and preference centre, the policy's own over the built-in ones.

    What only the page can fill in stays: `{policy}`, `{days}`, `{host}` and `{purpose}`.
    """
    own = policy.texts[language].model_dump(exclude_none=True) if language in policy.texts else {}
    texts = {**words(language, "banner"), **words(language, "preferences"), **own}
    titles = [purpose.title[language] for purpose in policy.purposes]
    values = {"controller": policy.controller.name, "purposes": ", ".join(titles)}
    # The label first, for the other words may quote it; one pass each, so that a name in braces stays a name.
    values["open"] = _fill(texts["open"], values)
    return {key: values["open"] if key == "open" else _fill(text, values) for key, text in texts.items()}


def _with_bodies(asked_again: Mapping[str, Any], policy: Policy, language: str) -> dict[str, Any]:
    """Give each group the banner's sentence about the purposes that it is asked for, null where that is all of them."""
    own = policy.texts[language].body if language in policy.texts else None
    body, whole = own or words(language, "banner")["body"], banner_texts(policy, language)

    def said(titles: list[str]) -> str | None:
        values = {"controller": policy.controller.name, "purposes": ", ".join(titles), "open": whole["open"]}
        about = _fill(body, values)
        return None if about == whole["body"] else about

    def groups(kind: str) -> list[dict[str, Any]]:
        return [
            {**{key: value for key, value in group.items() if key != "titles"}, "body": said(group["titles"])}
            for group in asked_again[kind]
        ]

    return {**asked_again, "granted": groups("granted"), "refused": groups("refused")}


def privacy_url(site_key: str, language: str) -> str:
    """Give the path of the hosted privacy page in a language."""
    return f"/privacy/{site_key}?lang={language}"


def _look(settings: SiteSettings) -> dict[str, Any]:
    banner = settings.banner
    return {
        "layout": str(banner.layout),
        "theme": str(banner.theme),
        "style": banner_style(banner),
        "logo_url": banner.logo_url,
        "signals": {"gpc": str(settings.signals.gpc)},
        "after_withdrawal": str(settings.after_withdrawal),
    }


def _tools(settings: SiteSettings) -> dict[str, Any]:
    """Give what is told to other tools, and which of them are held; nothing of what the site does not use."""
    wired = {
        "consent_mode": {purpose: [str(type) for type in types] for purpose, types in settings.consent_mode.items()},
        "consent_mode_regions": list(settings.consent_mode_regions),
        "uet": {purpose: [str(type) for type in types] for purpose, types in settings.uet.items()},
        "clarity": {purpose: [str(type) for type in types] for purpose, types in settings.clarity.items()},
        "blocking": [{"purpose": rule.purpose, "host": rule.host} for rule in settings.blocking],
        "coverage": settings.coverage_counts,
    }
    return {key: value for key, value in wired.items() if value}


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _FILLED.sub(lambda match: values.get(match.group(1), match.group()), text)


def _purpose(
    policy: Policy, purpose: Purpose, settings: SiteSettings, language: str, since: Outgrown
) -> dict[str, Any]:
    days = kept_days(purpose, settings)
    return {
        "id": purpose.id,
        "title": purpose.title[language],
        "description": purpose.description[language],
        "measures": purpose.measures,
        "data": [str(group) for group in purpose.data],
        "collected": [words(language, "data")[group] for group in purpose.data],
        "recipients": [recipient.name for recipient in policy.recipients_of(purpose)],
        "retention_days": days,
        "kept": words(language, "preferences")["retention"].format(days=say_days(days, language)),
        "cookies": [_cookie(cookie, language) for cookie in purpose.cookies],
        "material_version": since.grants[purpose.id],
    }


def kept_days(purpose: Purpose, settings: SiteSettings) -> int:
    """Give the days a purpose's data are kept at a site; the site's setting is about events alone."""
    if purpose.measures:
        return effective_retention(purpose.retention_days, settings.retention_days)
    return purpose.retention_days


def _exempt(exempt: Exempt, language: str) -> dict[str, Any]:
    return {
        "id": exempt.id,
        "title": exempt.title[language],
        "description": exempt.description[language],
        "cookies": [_cookie(cookie, language) for cookie in exempt.cookies],
    }


def _cookie(cookie: Cookie, language: str) -> dict[str, Any]:
    return {
        "name": cookie.name,
        "kind": str(cookie.kind),
        "days": cookie.days,
        "life": say_days(cookie.days, language) if cookie.days else words(language, "preferences")["session"],
        "description": cookie.description[language],
    }
