"""Tell browser, system and class of device from a user agent; the text itself is never kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import ua_parser

from consent_service.browser.robots import Automaton, find_automaton

MAX_LENGTH = 512
_UNKNOWN = "Other"


@dataclass(frozen=True, slots=True)
class Device:
    """Hold what reports show of a device, in coarse words; empty where unknown."""

    kind: str
    browser: str
    browser_version: str
    os: str
    os_version: str
    is_bot: bool


UNKNOWN = Device("", "", "", "", "", is_bot=False)


def _parse(user_agent: str, **_: Any) -> dict[str, Any]:
    found = ua_parser.parse(user_agent).with_defaults()
    agent, system, device = found.user_agent, found.os, found.device
    versions = ("major", "minor", "patch")
    return {
        "string": user_agent,
        "user_agent": {"family": agent.family, **{name: getattr(agent, name) for name in versions}},
        "os": {
            "family": system.family,
            **{name: getattr(system, name) for name in (*versions, "patch_minor")},
        },
        "device": {"family": device.family, "brand": device.brand, "model": device.model},
    }


# user-agents asks ua-parser's old pure-Python interface (0.7 ms a text, 0.25 s and 20 MB to load); the Rust
# matcher gives the same answers in 0.014 ms. Set before user-agents looks for it, the old one is never loaded.
ua_parser.user_agent_parser = SimpleNamespace(Parse=_parse)  # type: ignore[assignment]
user_agents = import_module("user_agents.parsers")


def read_device(user_agent: str | None, *, is_local: bool = False) -> Device:
    """Give the device of a request; without a user agent nothing is known of it.

    A headless browser or an HTTP library is a bot as well, unless `is_local`: on the machine itself it is a test of the
    operator's.
    """
    text = (user_agent or "").strip()[:MAX_LENGTH]
    if not text:
        return UNKNOWN
    found, automaton = user_agents.parse(text), find_automaton(text)
    is_tool = automaton is Automaton.TOOL
    return Device(
        kind=_kind(found),
        browser=_known(found.browser.family),
        browser_version=_major(found.browser.version),
        os=_known(found.os.family),
        os_version=_major(found.os.version),
        is_bot=not is_local if is_tool else found.is_bot or automaton is not None,
    )


def _kind(found: Any) -> str:
    if found.is_tablet:
        return "Tablet"
    if found.is_mobile:
        return "Mobile"
    if found.is_pc:
        return "Desktop"
    return ""


def _known(family: str) -> str:
    return "" if family == _UNKNOWN else family


def _major(version: tuple[Any, ...]) -> str:
    # The full version would single out one browser among few.
    return str(version[0]) if version and version[0] not in (None, "") else ""
