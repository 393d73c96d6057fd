"""Every key of the two files is documented, and so is every value of a closed list."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from consent_service.consent.policy import (
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
from consent_service.consent.texts import built_in_languages
from consent_service.documents import StrictModel
from consent_service.sites.settings import (
    AfterWithdrawal,
    BannerSettings,
    Blocking,
    ClarityConsent,
    Colors,
    GoogleConsent,
    Gpc,
    Layout,
    Signals,
    SiteSettings,
    Theme,
    UetConsent,
)

DOCS = Path(__file__).resolve().parents[3] / "docs"
POLICY: tuple[type[StrictModel], ...] = (
    Policy, Controller, JointController, Recipient, Purpose, Exempt, Cookie, BannerTexts,
)  # fmt: skip
SITE: tuple[type[StrictModel], ...] = (SiteSettings, BannerSettings, Colors, Signals, Blocking)
POLICY_VALUES: tuple[type[StrEnum], ...] = (Audience, DataGroup, Role, StorageKind)
SITE_VALUES: tuple[type[StrEnum], ...] = (
    AfterWithdrawal, ClarityConsent, GoogleConsent, Gpc, Layout, Theme, UetConsent,
)  # fmt: skip


def names(models: tuple[type[StrictModel], ...], values: tuple[type[StrEnum], ...]) -> Iterator[str]:
    yield from (key for model in models for key in model.model_fields)
    yield from (str(value) for kind in values for value in kind)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        *(("policy.md", name) for name in sorted(set(names(POLICY, POLICY_VALUES)))),
        *(("site-settings.md", name) for name in sorted(set(names(SITE, SITE_VALUES)))),
    ],
)
def test_every_key_and_value_is_documented(page: str, name: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert any(written in text for written in (f"`{name}`", f"[{name}]", f"[{name}.", f".{name}]", f'"{name}"'))


def test_the_built_in_languages_are_named() -> None:
    text = (DOCS / "policy.md").read_text(encoding="utf-8")
    listed = re.search(r"Built-in words exist in (\d+) languages: ([^.]*)\.", text)
    assert listed is not None
    codes = re.findall(r"`([^`]+)`", listed.group(2))
    assert codes == sorted(built_in_languages())
    assert int(listed.group(1)) == len(codes)
