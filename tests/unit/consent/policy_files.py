"""The policy and site of the news site, and ways to change their text or make them invalid."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from consent_service.consent.policy import Policy, PolicyError, parse_policy, policy_warnings
from consent_service.documents import canonical_json
from consent_service.problems import Problem
from consent_service.sites.settings import SiteSettings, parse_settings

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
POLICY = (EXAMPLES / "policy.toml").read_text(encoding="utf-8")
SITE = (EXAMPLES / "site.toml").read_text(encoding="utf-8")


def policy_document() -> dict[str, Any]:
    """Give the policy file's values, to be changed at will."""
    return tomllib.loads(POLICY)


def policy(**changes: Any) -> Policy:
    """Give the policy with some of its top-level keys replaced."""
    return read({**policy_document(), **changes})


def read(document: dict[str, Any]) -> Policy:
    """Read a policy from values, the way a JSON file is read."""
    return parse_policy(canonical_json(document), format="json")


def settings() -> SiteSettings:
    """Give the site's settings."""
    return parse_settings(SITE, format="toml")


def edited(*replacements: tuple[str, str]) -> str:
    """Give the policy's text with each first text replaced by the second; each must be there."""
    text = POLICY
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after, 1)
    return text


def problems(text: str | bytes, format: Any = "toml") -> list[Problem]:
    """Give what is wrong with a policy that must be refused."""
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, format=format)
    return list(refused.value.problems)


def problems_of(document: dict[str, Any]) -> dict[str, str]:
    """Give what is wrong with values that must be refused: message by place."""
    return {problem.place: problem.message for problem in problems(canonical_json(document), "json")}


def warnings_of(document: dict[str, Any]) -> dict[str, str]:
    """Give what is advised against in values that are allowed: message by place."""
    return {found.place: found.message for found in policy_warnings(canonical_json(document), format="json")}


def line_of(text: str, wanted: str, nth: int = 1) -> int:
    """Give the line, counted from 1, of the nth line that begins with a text."""
    return [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(wanted)][nth - 1]
