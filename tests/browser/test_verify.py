"""The verifier as a page, opened as a file: it agrees with the program, and asks no host for anything."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from consent_service.ledger.notes import SigningKey, read_checkpoint, sign_checkpoint
from consent_service.ledger.verifier.verify import Rejected, read_zip, verify, write_zip
from tests.browser.conftest import Demo
from tests.integration.ledger.evidence import VERIFY, mutations

PAGE = VERIFY.with_name("verify.html")


@pytest.fixture(scope="module")
def evidence(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """Give a bundle of the demo's newest decision, and the log's key as it is served."""
    made = demo.run("token", "create", "--site", demo.key, "--scope", "consent:read")
    headers = {"Authorization": f"Bearer {made['token']}"}
    listed = httpx.get(f"{demo.url}/api/v1/decisions", params={"site": demo.key}, headers=headers).json()
    decision_id = _first_id(listed)
    out = tmp_path_factory.mktemp("evidence") / "bundle.zip"
    demo.run("ledger", "bundle", decision_id, "--out", str(out))
    assert demo.run("ledger", "verify", str(out))["ok"] is True
    return out.read_bytes(), httpx.get(f"{demo.url}/v1/ledger/key").text.strip()


def _first_id(document: Any) -> str:
    if isinstance(document, dict) and "decision_id" in document:
        return str(document["decision_id"])
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return next((found for each in inner if (found := _first_id(each))), "")


def check(page: Page, content: bytes, key: str, checkpoint: bytes | None = None) -> tuple[str, str]:
    """Check a file as a person does; gives the outcome and what the page says."""
    page.locator("#file").set_input_files({"name": "evidence", "mimeType": "", "buffer": content})
    page.locator("#key").fill(key)
    given = [] if checkpoint is None else [{"name": "checkpoint", "mimeType": "", "buffer": checkpoint}]
    page.locator("#checkpoint").set_input_files(given)  # type: ignore[arg-type]
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator("#result[data-result]").wait_for()
    result = page.locator("#result")
    return str(result.get_attribute("data-result")), result.inner_text()


def test_a_good_bundle_holds_in_a_page_that_was_opened_as_a_file(page: Page, evidence: tuple[bytes, str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(PAGE.as_uri())
    outcome, text = check(page, *evidence)
    assert outcome == "ok", text
    assert "record.json: unchanged" in text
    assert asked == [PAGE.as_uri()]
    assert problems == []


def test_it_agrees_with_the_program_on_damaged_bundles(page: Page, evidence: tuple[bytes, str]) -> None:
    """A sample over all members, by every kind of mutation, judged by both; and tricks with the file itself."""
    page.goto(PAGE.as_uri())
    bundle, key = evidence
    members = read_zip(bundle)
    cases = [changed for _, changed in mutations(bundle, step=97)][:100]
    cases += [bundle + b"\0", b"PK" + bundle, bundle[:-1], b"", b"{}", b"PK", write_zip({**members, "more": b""})]
    cases += [write_zip({name: data for name, data in members.items() if name != gone}) for gone in members]
    cases.append(bundle)
    for content in cases:
        try:
            verify(content, [key])
            expected = "ok"
        except Rejected:
            expected = "rejected"
        outcome, text = check(page, content, key)
        assert outcome == expected, text
        assert (outcome == "ok") == (content == bundle)


def test_another_key_and_a_rewritten_history_are_rejected(page: Page, evidence: tuple[bytes, str]) -> None:
    page.goto(PAGE.as_uri())
    bundle, key = evidence
    forger = SigningKey(key.split("+")[0], b"f" * 32)
    assert check(page, bundle, str(forger.verifier))[0] == "rejected"
    members = read_zip(bundle)
    said, _ = read_checkpoint(members["checkpoint"].decode())
    note = sign_checkpoint(said, [forger]).encode()
    forged = write_zip({name: data.replace(members["checkpoint"], note) for name, data in members.items()})
    assert check(page, forged, key)[0] == "rejected"
    assert check(page, forged, str(forger.verifier))[0] == "ok"
    assert check(page, bundle, key, members["checkpoint"])[0] == "ok"
    assert check(page, forged, f"{key}\n{forger.verifier}", members["checkpoint"])[0] == "ok"


def test_a_receipt_is_checked_too(page: Page, demo: Demo, evidence: tuple[bytes, str]) -> None:
    page.goto(PAGE.as_uri())
    bundle, key = evidence
    members = read_zip(bundle)
    proof = members["record.tlog-proof"].decode().removesuffix(members["checkpoint"].decode()).split("\n")
    receipt: dict[str, Any] = {
        "checkpoint": members["checkpoint"].decode(),
        "decisions": [
            {
                "record": b64encode(members["record.json"]).decode(),
                "salt": members["salt.hex"].decode(),
                "leaf_index": int(proof[1].split(" ")[1]),
                "hashes": [b64decode(line).hex() for line in proof[2:] if line],
            }
        ],
    }
    verify(json.dumps(receipt).encode(), [key])
    outcome, text = check(page, json.dumps(receipt).encode(), key)
    assert (outcome, "unchanged, in the log" in text) == ("ok", True)
    spoilt = [("salt", members["salt.hex"].decode().upper()), ("salt", " " + members["salt.hex"].decode())]
    for member, value in [*spoilt, ("leaf_index", receipt["decisions"][0]["leaf_index"] ^ 1)]:
        changed = json.dumps({**receipt, "decisions": [{**receipt["decisions"][0], member: value}]}).encode()
        with pytest.raises(Rejected):
            verify(changed, [key])
        assert check(page, changed, key)[0] == "rejected", member
    outcome, text = check(page, json.dumps({**receipt, "checkpoint": None}).encode(), key)
    assert (outcome, "had signed nothing yet: get it again" in text) == ("rejected", True)
    assert check(page, json.dumps(receipt).encode(), f"{key}\n{key}")[0] == "ok"
    assert verify(json.dumps(receipt).encode(), [key, key])
