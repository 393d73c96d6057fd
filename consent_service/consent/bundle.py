"""Write the script of one site: the client, and in it what the first layer needs of the site's banners."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Final

import orjson

from consent_service.consent.banner import SHORT_HASH
from consent_service.consent.scripts import SHORT, Part
from consent_service.consent.texts import aliases

Config = Mapping[str, Any]

_COMMON: Final = (
    "site",
    "policy_version",
    "valid_days",
    "refusal_days",
    "layout",
    "style",
    "signals",
    "after_withdrawal",
    "material_version",
    "refusal_material_version",
    "consent_mode",
    "consent_mode_regions",
    "uet",
    "clarity",
    "blocking",
    "coverage",
)
# What the client takes a member for that is not there.
_TAKEN_FOR: Final[Config] = {
    "layout": "bar",
    "valid_days": 180,
    "refusal_days": 180,
    "signals": {"gpc": "refuse"},
    "after_withdrawal": "stay",
    "material_version": 1,
    "refusal_material_version": 1,
    "dir": "ltr",
    "asked_again": None,
}
_WORDS: Final = ("title", "body", "accept", "refuse", "policy", "open", "saved", "failed")
# What the service finds out by itself of what is sent anyway; the client asks for none of them.
_SEEN_BY_SERVICE: Final = frozenset({"campaign", "country", "region", "city"})


# The members of the banner config that a part acts on.
_USED_BY: Final[Mapping[Part, tuple[str, ...]]] = {
    Part.SIGNALS: ("consent_mode", "uet", "clarity", "blocking"),
    Part.AGAIN: ("asked_again",),
    Part.COVERAGE: ("coverage",),
}


def bundle_config(banners: Mapping[str, Config], default_language: str) -> list[Any]:
    """Give what a bundle says under the names of the banner config.

    In this order: what all languages share; by language, the rest; the default language; where a language has more
    than its own tags, those by language. Left out is what only the preference centre shows, which fetches the whole,
    and what has its default.
    """
    first = banners[default_language]
    common = _chosen(first, _COMMON)
    # Without its words a purpose is the same in every language.
    # What an exempt purpose declares is never deleted, so what is not exempt is all there is to say.
    exempt = {cookie["name"] for each in first["exempt"] for cookie in each["cookies"]}
    common["purposes"] = [_purpose(purpose, exempt) for purpose in first["purposes"]]
    nearest = aliases(banners)
    spoken = {language: _spoken(config) for language, config in banners.items()}
    return [common, spoken, default_language, *([nearest] if nearest else [])]


def write_bundle(
    banners: Mapping[str, Config], default_language: str, *, core: bytes, parts: Mapping[Part, bytes], script: str
) -> bytes:
    """Write a site's bundle around the built files; its config is never a global of the page.

    Of `parts` those join that `parts_of` names. `script` is the hash of the client without the config: its first digits
    go out with each grant.
    """
    said = bundle_config(banners, default_language)
    said[0]["script"] = script[:SHORT]
    # The two line separators are line ends to browsers older than ES2019.
    json = orjson.dumps(said)
    json = json.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    joined = b"".join(parts[part] for part in parts_of(banners[default_language]))
    return b"{let $hooks=[],$config=" + json + b";\n" + joined + core + b"}\n"


def parts_of(config: Config) -> tuple[Part, ...]:
    """Give the parts that a site's bundle needs, in the order in which they stand in it."""
    return tuple(part for part, used in _USED_BY.items() if any(config.get(key) for key in used))


def _chosen(config: Config, keys: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: config[key] for key in keys if key in config and not (key in _TAKEN_FOR and config[key] == _TAKEN_FOR[key])
    }


def _spoken(config: Config) -> dict[str, Any]:
    said = list(_WORDS)
    if len(config["purposes"]) > 1:
        said.append("customize")
    return {
        **_chosen(config, ("dir", "asked_again")),
        "banner_hash": config["banner_hash"][:SHORT_HASH],
        "texts": {key: config["texts"][key] for key in said},
    }


def _purpose(purpose: Config, exempt: Set[str]) -> dict[str, Any]:
    needed: dict[str, Any] = {"id": purpose["id"]}
    if purpose["material_version"] > 1:
        needed["material_version"] = purpose["material_version"]
    if purpose["measures"]:
        needed |= {"measures": True, "data": [group for group in purpose["data"] if group not in _SEEN_BY_SERVICE]}
    kept = [cookie for cookie in purpose["cookies"] if cookie["name"] not in exempt]
    cookies = [{"name": cookie["name"], "kind": cookie["kind"]} for cookie in kept]
    return needed | ({"cookies": cookies} if cookies else {})
