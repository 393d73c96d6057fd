"""The visitor's receipt: for whoever holds its token alone, and verifiable without the service."""

from __future__ import annotations

import json
import re
from base64 import b64decode

import pytest
from flask.testing import FlaskClient

from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.ledger.verifier.verify import Rejected, verify
from tests.integration.conftest import DATABASES
from tests.integration.ledger.evidence import Desk, check_description
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@both
def test_a_receipt_holds_every_decision_with_its_exact_bytes_and_proofs(
    client: FlaskClient, visitor: Visitor, core: Core
) -> None:
    desk = Desk(core)
    visitor.accept()
    token, receipt_id = visitor.token, visitor.receipt_id
    visitor.another().accept()
    desk.sign([])
    visitor.withdraw()
    desk.sign([])
    response = client.get(f"/v1/receipts/{receipt_id}", headers=bearer(token))
    assert response.status_code == 200
    assert response.mimetype == "application/ld+json"
    assert response.headers["Cache-Control"] == "no-store"
    receipt = response.get_json(force=True)
    assert [json.loads(b64decode(each["record"]))["action"] for each in receipt["decisions"]] == [
        "accept_all",
        "withdraw",
    ]
    assert receipt["@type"] == "dpv:ConsentReceipt"
    assert receipt["dct:identifier"] == receipt_id
    assert receipt["dct:created"]
    assert {"@id": "https://w3id.org/dpv/schema/dpv-27560#receipt"} in receipt["dct:conformsTo"]
    states = [each["@type"][0] for each in receipt["dpv:hasConsentStatus"]]
    assert states == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]
    lines = verify(response.data, [desk.key])
    assert sum(line.startswith("unchanged, in the log") for line in lines) == 2
    # Every receipt anchors the log: its checkpoint shows later that history was not rewritten.
    check_description(receipt)
    assert verify(response.data, [desk.key], receipt["checkpoint"].encode())
    for path, value in (("record", receipt["decisions"][1]["record"]), ("salt", "00" * 32), ("leaf_index", 0)):
        changed = json.loads(response.data)
        changed["decisions"][0][path] = value
        with pytest.raises(Rejected):
            verify(json.dumps(changed).encode(), [desk.key])


def test_a_decision_that_is_not_in_the_log_yet_says_so(client: FlaskClient, visitor: Visitor, core: Core) -> None:
    desk = Desk(core)
    desk.sign([])
    visitor.accept()
    response = client.get(f"/v1/receipts/{visitor.receipt_id}", headers=bearer(visitor.token))
    receipt = response.get_json(force=True)
    assert [each["hashes"] for each in receipt["decisions"]] == [None]
    assert any(line.startswith("NOT yet in the log") for line in verify(response.data, [desk.key]))


def test_a_receipt_from_before_anything_was_signed_proves_nothing_and_says_so(
    client: FlaskClient, visitor: Visitor, core: Core
) -> None:
    visitor.accept()
    response = client.get(f"/v1/receipts/{visitor.receipt_id}", headers=bearer(visitor.token))
    assert response.get_json(force=True)["checkpoint"] is None
    with pytest.raises(Rejected, match="had signed nothing yet: get it again"):
        verify(response.data, [Desk(core).key])


@both
def test_all_but_the_holder_get_one_and_the_same_answer(client: FlaskClient, visitor: Visitor, core: Core) -> None:
    visitor.accept()
    other = visitor.another()
    other.accept()
    refusing = visitor.another()
    refusing.refuse()
    own, unknown = f"/v1/receipts/{visitor.receipt_id}", f"/v1/receipts/{'0' * 32}"
    answers = {
        (response.status_code, response.data)
        for response in (
            client.get(own),
            client.get(own, headers=bearer("forged")),
            client.get(own, headers=bearer(other.token)),
            client.get(own, headers=bearer(refusing.token)),
            client.get(unknown),
            client.get(unknown, headers=bearer(visitor.token)),
            client.get("/v1/receipts/no-receipt", headers=bearer(visitor.token)),
        )
    }
    assert len(answers) == 1
    assert {status for status, _ in answers} == {404}
    assert client.get(own, headers=bearer(visitor.token)).status_code == 200
    receipt_id = str(visitor.receipt_id)
    core.writer.run(lambda connection: remove_records(connection, receipt_id, reason="erasure", now=core.now()))
    assert client.get(own, headers=bearer(visitor.token)).status_code == 404


def test_a_page_of_the_site_may_read_it_and_no_other(client: FlaskClient, visitor: Visitor) -> None:
    visitor.accept()
    path = f"/v1/receipts/{visitor.receipt_id}"
    allowed = client.get(path, headers={**bearer(visitor.token), "Origin": visitor.origin})
    assert allowed.headers["Access-Control-Allow-Origin"] == visitor.origin
    foreign = client.get(path, headers={**bearer(visitor.token), "Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers
    assert client.options(path, headers={"Origin": visitor.origin}).status_code == 204


def test_the_visitors_own_page_gives_it_without_a_script(client: FlaskClient, visitor: Visitor, core: Core) -> None:
    desk = Desk(core)
    visitor.accept()
    desk.sign([])
    entered = client.post(f"/my/{visitor.site_key}", data={"token": visitor.token}, headers={"Origin": visitor.origin})
    assert entered.status_code == 303
    page = client.get(f"/my/{visitor.site_key}?lang=en").text
    assert "/verify.html" in page
    form_token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    fields = {"form_token": form_token, "action": "receipt"}
    response = client.post(f"/my/{visitor.site_key}?lang=en", data=fields, headers=own)
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/ld+json"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert verify(response.data, [desk.key])
    assert verify(client.get(f"/v1/receipts/{visitor.receipt_id}").data, [desk.key])


@pytest.mark.parametrize(("path", "mimetype"), [("/verify.html", "text/html"), ("/verify.py", "text/x-python")])
def test_what_checks_receipts_is_served_to_everybody(client: FlaskClient, path: str, mimetype: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.mimetype == mimetype
    assert client.get(path, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
