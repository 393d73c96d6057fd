"""Hold the hosts that are known to send readers, and those that are only ever named by spam (pure)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final


class SourceKind(StrEnum):
    """Say as what a known source counts."""

    SEARCH = "search"
    AI = "ai"
    SOCIAL = "social"
    VIDEO = "video"
    AUDIO = "audio"
    NEWS = "news"
    SHOPPING = "shopping"
    EMAIL = "email"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True)
class KnownSource:
    """Hold the name that reports show, and the kind."""

    name: str
    kind: SourceKind


@dataclass(frozen=True, slots=True)
class KnownSources:
    """Hold sources by host, by a label that stands before many countries' suffixes, and by name in lower case."""

    hosts: Mapping[str, KnownSource]
    families: Mapping[str, KnownSource]
    names: Mapping[str, KnownSource]

    def by_host(self, host: str) -> KnownSource | None:
        """Find the source of a host in lower case: its own, else that of the nearest host above it."""
        for parent in _parents(host):
            found = self.hosts.get(parent)
            if found is not None:
                return found
        family = _FAMILY.search(host)
        return self.families.get(family["name"]) if family is not None else None

    def by_name(self, name: str) -> KnownSource | None:
        """Find a source by what a link's `utm_source` calls it: a name, an alias, or a host."""
        lowered = name.lower()
        return self.names.get(lowered) or (self.by_host(lowered) if "." in lowered else None)


# google.fr, google.co.uk, www.google.com.br: never google.example.com.
_FAMILY: Final = re.compile(r"(?:^|\.)(?P<name>[a-z0-9-]+)\.(?:(?:com?|org)\.)?[a-z]{2}$")
# A host has 127 labels at most, but none that is known has many.
_MOST_LABELS: Final = 8


@cache
def known_sources() -> KnownSources:
    """Read the list that comes with the product."""
    document = tomllib.loads(files(__package__).joinpath("sources.toml").read_text("utf-8"))
    hosts: dict[str, KnownSource] = {}
    names: dict[str, KnownSource] = {}
    for kind in SourceKind:
        for name, listed in document[kind].items():
            names[name.lower()] = source = KnownSource(name, kind)
            hosts |= dict.fromkeys(listed, source)
    families = {label: names[name.lower()] for label, name in document["families"].items()}
    aliases = {alias: names[name.lower()] for alias, name in document["aliases"].items()}
    return KnownSources(hosts, families, {**families, **names, **aliases})


def read_hosts(text: str) -> frozenset[str]:
    """Read a list of one host a line; what begins with `#` is a remark, as is an empty line."""
    lines = (line.strip().lower() for line in text.splitlines())
    return frozenset(line.removeprefix("www.") for line in lines if line and not line.startswith("#"))


@cache
def known_spam() -> frozenset[str]:
    """Read the list of spam hosts that comes with the product."""
    return read_hosts(files(__package__).joinpath("spam_referrers.txt").read_text("utf-8"))


def is_spam(host: str, lists: Iterable[frozenset[str]]) -> bool:
    """Tell whether a host in lower case, or one above it, is in one of the lists."""
    return any(parent in hosts for parent in _parents(host) for hosts in lists)


def _parents(host: str) -> Iterator[str]:
    labels = host.split(".")[-_MOST_LABELS:]
    yield host
    for place in range(len(labels)):
        yield ".".join(labels[place:])
