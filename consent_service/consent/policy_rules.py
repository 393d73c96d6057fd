"""Check what no single key of a policy can tell: the rules between keys, over a file of any shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from consent_service.consent.texts import BANNER_KEYS, has_words
from consent_service.documents import Found
from consent_service.fields import EEA
from consent_service.places import Path

Document = Mapping[str, Any]

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS: Final = ("policy", "controller", "open", "purposes")
# What only the page knows, and fills in: whose content waits, and for which purpose.
_PLACEHOLDERS_OF: Final[Mapping[str, tuple[str, ...]]] = {"blocked": ("host", "purpose"), "allow": ("purpose",)}

# A list longer than any may be is reported as such; looking further into it would only cost time.
_MOST: Final = 50


def broken_rules(document: Document) -> list[Found]:
    """Find every broken rule; parts whose shape is wrong are passed over, for they are reported as such."""
    return [found for rule in RULES for found in rule(document)]


def advice(document: Document) -> list[Found]:
    """Find what is allowed and yet probably not meant."""
    return [found for rule in ADVICE for found in rule(document)]


def _tables(parent: Any, key: str, path: Path = ()) -> Iterator[tuple[Path, Document]]:
    items = parent.get(key) if isinstance(parent, Mapping) else None
    for index, item in enumerate(items[:_MOST] if isinstance(items, list) else ()):
        if isinstance(item, Mapping):
            yield (*path, key, index), item


def _strings(parent: Any, key: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    items = parent.get(key) if isinstance(parent, Mapping) else None
    for index, item in enumerate(items[:_MOST] if isinstance(items, list) else ()):
        if isinstance(item, str):
            yield (*path, key, index), item


def _table(parent: Any, key: str) -> Document:
    item = parent.get(key) if isinstance(parent, Mapping) else None
    return item if isinstance(item, Mapping) else {}


def _ids(document: Document, key: str) -> frozenset[str]:
    return frozenset(item["id"] for _, item in _tables(document, key) if isinstance(item.get("id"), str))


def _languages(document: Document) -> list[str]:
    return list(dict.fromkeys(language for _, language in _strings(document, "languages")))


def _translated(document: Document) -> Iterator[tuple[Path, Document]]:
    """Give every table of one text in each language."""
    candidates: list[tuple[Path, Any]] = [(("privacy",), document.get("privacy") or None)]
    if document.get("material_purposes") or document.get("material_reason"):
        candidates.append((("material_reason",), document.get("material_reason", {})))
    for key in ("exempt", "purposes"):
        for path, item in _tables(document, key):
            candidates += [((*path, name), item.get(name)) for name in ("title", "description")]
            for place, cookie in _tables(item, "cookies", path):
                candidates.append(((*place, "description"), cookie.get("description")))
    return ((path, table) for path, table in candidates if isinstance(table, Mapping))


def _every_language(document: Document) -> Iterator[Found]:
    languages = _languages(document)
    for path, table in _translated(document):
        for language in languages:
            if language not in table:
                yield (*path, language), "is missing: every text is needed in every language of the policy"
        yield from _foreign_languages(path, table, languages)


def _foreign_languages(path: Path, table: Document, languages: list[str]) -> Iterator[Found]:
    for language in table:
        if language not in languages:
            yield (*path, language), "is not one of the policy's languages"


def _default_language(document: Document) -> Iterator[Found]:
    default = document.get("default_language")
    if isinstance(default, str) and default not in _languages(document):
        yield ("default_language",), "is not one of the policy's languages"


def _repeated(values: Iterator[tuple[Path, str]]) -> Iterator[Found]:
    seen: set[str] = set()
    for path, value in values:
        if value in seen:
            yield path, f"repeats {value}"
        seen.add(value)


def _no_repeats(document: Document) -> Iterator[Found]:
    for key in ("languages", "material_purposes"):
        yield from _repeated(_strings(document, key))
    for path, purpose in _tables(document, "purposes"):
        for key in ("data", "recipients"):
            yield from _repeated(_strings(purpose, key, path))
    yield from _repeated(_id_places(document, "recipients"))
    yield from _repeated(found for key in ("exempt", "purposes") for found in _id_places(document, key))


def _id_places(document: Document, key: str) -> Iterator[tuple[Path, str]]:
    for path, item in _tables(document, key):
        if isinstance(item.get("id"), str):
            yield (*path, "id"), item["id"]


def _known_recipients(document: Document) -> Iterator[Found]:
    known = _ids(document, "recipients")
    for path, purpose in _tables(document, "purposes"):
        for place, recipient in _strings(purpose, "recipients", path):
            if recipient not in known:
                yield place, f"names the recipient {recipient}, which the policy does not have"


def _one_measures(document: Document) -> Iterator[Found]:
    if document.get("audience") == "children":
        return
    said = [(path, purpose.get("measures", False)) for path, purpose in _tables(document, "purposes")]
    measuring = [path for path, measures in said if measures is True]
    # A value that is neither true nor false is reported as such; it may well be the one that was meant.
    if not measuring and all(measures is False for _, measures in said):
        yield ("purposes",), "needs exactly one purpose with measures = true; there is none"
    for path in measuring[1:]:
        yield (*path, "measures"), "is a second measuring purpose; exactly one may have measures = true"


def _children_are_not_asked(document: Document) -> Iterator[Found]:
    if document.get("audience") == "children":
        for path, _ in _tables(document, "purposes"):
            yield path, 'must not be here: with audience = "children" no optional purpose is offered'


def _material(document: Document) -> Iterator[Found]:
    known = _ids(document, "purposes")
    for path, purpose in _strings(document, "material_purposes"):
        if purpose not in known:
            yield path, f"names the purpose {purpose}, which the policy does not have"


def _proof_outlives_events(document: Document) -> Iterator[Found]:
    """Keep the proof of a consent at least as long as the events it allowed."""
    proof_days = document.get("record_retention_days")
    for _, purpose in _tables(document, "purposes"):
        days = purpose.get("retention_days")
        if purpose.get("measures") is not True or not isinstance(days, int) or not isinstance(proof_days, int):
            continue
        if 1 <= proof_days < days:
            yield (
                ("record_retention_days",),
                f"must be at least {days}, the retention_days of {purpose.get('id')}: "
                "no event may outlive the proof of its consent",
            )


def _safeguards(document: Document) -> Iterator[Found]:
    for path, recipient in _tables(document, "recipients"):
        country, transfer = recipient.get("country"), recipient.get("transfer", "")
        if not isinstance(country, str) or country in EEA:
            continue
        if isinstance(transfer, str) and not transfer.strip():
            yield (
                (*path, "transfer"),
                f"must name the safeguard, for {country} is outside the EEA (GDPR art. 13(1)(f))",
            )


def _own_texts(document: Document) -> Iterator[tuple[Path, str, str]]:
    for language, table in _table(document, "texts").items():
        for key, text in (table if isinstance(table, Mapping) else {}).items():
            if isinstance(text, str):
                yield ("texts", language, key), key, text


def _placeholders(document: Document) -> Iterator[Found]:
    for path, key, text in _own_texts(document):
        named = _PLACEHOLDER.findall(text)
        known = (*_PLACEHOLDERS, *_PLACEHOLDERS_OF.get(key, ()))
        for name in named:
            if name not in known:
                listed = ", ".join(f"{{{each}}}" for each in known)
                yield path, f"has the unknown placeholder {{{name}}}; known are {listed}"
        links = named.count("policy")
        if key == "body" and links != 1:
            yield path, f"needs {{policy}}, the link to the policy, exactly once; it has it {links} times"
        if key != "body" and links:
            yield path, "must not have {policy}; the link belongs to body"
        if key == "open" and "open" in named:
            yield path, "must not have {open}, which is this very text"


def _filled_in(document: Document) -> Iterator[Found]:
    """Keep braces out of what is filled into texts, where they would read as a placeholder."""
    places: list[tuple[Path, Any]] = [(("controller", "name"), _table(document, "controller").get("name"))]
    for path, purpose in _tables(document, "purposes"):
        places += [((*path, "title", key), text) for key, text in _table(purpose, "title").items()]
    for path, text in places:
        if isinstance(text, str) and ("{" in text or "}" in text):
            yield path, "must not have { or }"


def _texts_languages(document: Document) -> Iterator[Found]:
    languages, texts = _languages(document), _table(document, "texts")
    yield from _foreign_languages(("texts",), texts, languages)
    for language in languages:
        if has_words(language):
            continue
        given = _table(texts, language)
        for key in BANNER_KEYS:
            if key not in given:
                yield ("texts", language, key), f"is missing: there are no built-in texts for {language}"


def _advise_texts(document: Document) -> Iterator[Found]:
    for path, key, text in _own_texts(document):
        for name in ("controller", "open") if key == "body" else ():
            if f"{{{name}}}" not in text:
                yield path, f"does not have {{{name}}}"


def _advise_recipients(document: Document) -> Iterator[Found]:
    purposes = [purpose for _, purpose in _tables(document, "purposes")]
    used = {name for purpose in purposes for _, name in _strings(purpose, "recipients")}
    for path, recipient in _id_places(document, "recipients"):
        if recipient not in used:
            yield path, "is named by no purpose"


def _advise_representative(document: Document) -> Iterator[Found]:
    controller = _table(document, "controller")
    country = controller.get("country")
    if isinstance(country, str) and country not in EEA and not controller.get("representative"):
        yield ("controller", "representative"), f"is empty, and {country} is outside the EEA (GDPR art. 27)"


def _advise_life(document: Document) -> Iterator[Found]:
    for key in ("exempt", "purposes"):
        for path, item in _tables(document, key):
            for place, cookie in _tables(item, "cookies", path):
                days = cookie.get("days")
                if isinstance(days, int) and days > 395:
                    yield (*place, "days"), "is more than 13 months, which authorities advise against"


def _advise_reason(document: Document) -> Iterator[Found]:
    if document.get("material_reason") and not document.get("material_purposes"):
        yield ("material_reason",), "is never said, for material_purposes is empty"


Rule = Callable[[Document], Iterator[Found]]

RULES: Final[tuple[Rule, ...]] = (
    _default_language,
    _no_repeats,
    _every_language,
    _known_recipients,
    _one_measures,
    _children_are_not_asked,
    _material,
    _proof_outlives_events,
    _safeguards,
    _placeholders,
    _filled_in,
    _texts_languages,
)
ADVICE: Final[tuple[Rule, ...]] = (
    _advise_texts,
    _advise_recipients,
    _advise_representative,
    _advise_life,
    _advise_reason,
)
