"""The hashes that pages pin are those of the bytes that are served."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from consent_service.consent.assets import SCRIPTS
from consent_service.resources import data_dir

DOCS = Path(__file__).parents[3] / "docs"
VERSIONS = (DOCS / "versions.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (not yet|\d{4}-\d\d-\d\d) \| `(\S+)` \| `(\S+)` \|$", re.MULTILINE)
MEND = "run `python tools/pin_client.py` after a build; if the version is released, undo what changed its file"


def served(name: str) -> str:
    """Give the subresource integrity of what is served under a name (W3C SRI)."""
    body = (data_dir("static") / SCRIPTS[name]).read_bytes()
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def test_every_version_that_is_served_is_listed_with_both_hashes() -> None:
    listed = {version: (whole, more) for version, _, whole, more in ROW.findall(VERSIONS)}
    versions = {match[1] for name in SCRIPTS if (match := re.fullmatch(r"consent\.v(\d+)\.js", name))}
    assert versions
    assert listed == {
        version: (served(f"consent.v{version}.js"), served(f"consent.v{version}.more.js")) for version in versions
    }, MEND


def test_a_version_loads_its_own_part_by_the_hash_that_is_listed() -> None:
    for version, _, _, more in ROW.findall(VERSIONS):
        assert more in (data_dir("static") / SCRIPTS[f"consent.v{version}.js"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["versions.md", "websites.md"])
def test_the_tag_to_paste_has_the_hash(page: str) -> None:
    tags = re.findall(r'/(consent\.v\d+\.js)"[^>]*? integrity="([^"]*)"', (DOCS / page).read_text(encoding="utf-8"))
    assert tags
    for name, integrity in tags:
        assert integrity == served(name), MEND
