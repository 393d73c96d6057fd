"""Evidence bundles of the application's own decisions, and what can be done to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consent_service.consent.evidence_bundle import bundle_decision
from consent_service.core import Core
from consent_service.ledger.integrator import Integrator
from consent_service.ledger.keys import read_keys
from consent_service.ledger.verifier.verify import manifest, read_zip, write_zip

SERVICE = "https://consent.example.org"
# A reader would see them differ anyway: they are what does the checking.
CHECKERS = ("verify.py", "verify.html")
# As DPV 2.2 names them; the release before wrote some of them otherwise.
DATA_TERMS = {
    f"pd:{name}"
    for name in (
        "BrowsingBehaviour",
        "BrowsingReferral",
        "City",
        "Country",
        "DeviceBased",
        "Location",
        "Transactional",
    )
}
VERIFY = Path(__file__).parents[3] / "consent_service" / "ledger" / "verifier" / "verify.py"


@dataclass
class Desk:
    """Hold what a privacy officer has: the core, and an integrator that signs."""

    core: Core

    @property
    def integrator(self) -> Integrator:
        """Give an integrator of the deployment's log."""
        return Integrator(self.core.engine, self.core.writer, self.core.config.data_dir, self.core.now)

    @property
    def key(self) -> str:
        """Give the newest verifier key as text."""
        return str(read_keys(self.core.config.data_dir).verifiers()[0])

    def sign(self, extensions: list[str]) -> str:
        """Sign the present checkpoint."""
        return self.integrator.sign_head(extensions)

    def bundle(self, decision_id: str, since: str | None = None) -> bytes:
        """Make the bundle of a decision."""
        return bundle_decision(self.core.engine, self.sign, decision_id, SERVICE, since=since)

    def signed_anew(self, members: dict[str, bytes]) -> bytes:
        """Give a bundle with a checkpoint of the true key over changed members, its proofs left as they are."""
        note = self.sign([f"bundle sha256:{_digest(members)}"]).encode()
        before = members["checkpoint"]
        changed = {name: data.replace(before, note) for name, data in members.items()}
        return write_zip(changed)


def _digest(members: dict[str, bytes]) -> str:
    from hashlib import sha256

    return sha256(manifest(members).encode()).hexdigest()


def mutations(bundle: bytes, step: int = 1) -> Iterator[tuple[str, bytes]]:
    """Give a bundle with one byte of one member flipped, deleted or inserted in turn, for each byte in every `step`."""
    members = read_zip(bundle)
    for name, data in members.items():
        if name in CHECKERS:
            continue
        for at in range(0, len(data), step):
            kind = ("flip", "delete", "insert")[at // step % 3]
            middle = {"flip": bytes([data[at] ^ (1 << at % 8)]), "delete": b"", "insert": b"0" + data[at : at + 1]}[
                kind
            ]
            yield f"{kind} {name}:{at}", write_zip({**members, name: data[:at] + middle + data[at + 1 :]})


def check_description(described: dict[str, Any]) -> None:
    """Look for what ISO/IEC TS 27560 demands of a record and of a receipt alike, by the guide of the DPVCG."""
    assert any(each["@type"] == "dpv:ConsentNotice" and each["dct:language"] for each in described["dpv:hasNotice"])
    parties = {each["@id"]: each for each in described["dpv:hasEntity"]}
    for process in described["dpv:hasProcess"]:
        assert process["dpv:hasPurpose"]["dct:description"]["@value"]
        assert {each["skos:broader"]["@id"] for each in process["dpv:hasPersonalData"]} <= DATA_TERMS
        kinds = {each["@type"] for each in process["dpv:hasStorageCondition"]}
        assert kinds == {"dpv:StorageLocation", "dpv:StorageDuration"}
        for named in (*process["dpv:hasDataController"], *process["dpv:hasRecipient"]):
            party = parties[named["@id"]]
            assert party["dpv:hasName"]
            assert party["dpv:hasIdentifier"] == party["@id"]
            assert party["@type"].startswith("dpv:")
            assert party["schema:address"]["schema:streetAddress"]
            assert party["schema:contactPoint"]
        assert process["dpv:hasConsentControl"]["dpv:isExercisedAt"]["@id"].split("/")[-2] == "my"
        assert process["dpv:hasJurisdiction"] == {"@id": "loc:FR"}
        assert {"dpv:DataSubjectRight", "eu-gdpr:A7-3"} <= set(process["dpv:hasRight"][0]["@type"])
        assert process["dpv:hasLegalBasis"]["@id"] == "eu-gdpr:A6-1-a"
    for status in described["dpv:hasConsentStatus"]:
        assert status["@type"][0] in {"dpv:ConsentGiven", "dpv:ConsentRefused", "dpv:ConsentWithdrawn"}
        assert status["dpv:isIndicatedAtTime"]
        assert status["dpv:hasDuration"]["rdf:value"]
        assert status["dpv:isIndicatedBy"]
