"""Read a policy file and refuse it with every problem and its place."""

from __future__ import annotations

from consent_service.consent.policy_model import (
    Audience,
    BannerTexts,
    Controller,
    Cookie,
    DataGroup,
    Exempt,
    JointController,
    Policy,
    Purpose,
    Recipient,
    Role,
    StorageKind,
)
from consent_service.consent.policy_rules import advice, broken_rules
from consent_service.documents import Unreadable, load_model, placed, read_document
from consent_service.places import Format
from consent_service.problems import Problem, ProblemsError

__all__ = [
    "Audience",
    "BannerTexts",
    "Controller",
    "Cookie",
    "DataGroup",
    "Exempt",
    "JointController",
    "Policy",
    "PolicyError",
    "Problem",
    "Purpose",
    "Recipient",
    "Role",
    "StorageKind",
    "parse_policy",
    "policy_warnings",
]


class PolicyError(ProblemsError):
    """Refuse a policy; carries every problem."""


def parse_policy(text: str | bytes, *, format: Format) -> Policy:
    """Read a policy of TOML or JSON strictly; raises PolicyError with every problem at once."""
    try:
        document, places, found = read_document(text, format)
    except Unreadable as error:
        raise PolicyError([error.problem]) from error
    policy, shape = load_model(Policy, document)
    problems = placed([*found, *shape, *broken_rules(document)], places)
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


def policy_warnings(text: str | bytes, *, format: Format) -> list[Problem]:
    """Tell with its line what a valid file says and probably does not mean; raises PolicyError."""
    policy = parse_policy(text, format=format)
    _, places, _ = read_document(text, format)
    return placed(advice(policy.document()), places)
