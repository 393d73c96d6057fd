"""Evidence bundles: what they prove, and that nothing can be changed in one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from base64 import b64decode
from functools import cache
from hashlib import sha256
from operator import methodcaller
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consent_service.consent.evidence_bundle import NoSuchDecision
from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_anchor
from consent_service.ledger.keys import mint_keys, write_keys
from consent_service.ledger.notes import Checkpoint, SigningKey, read_checkpoint, sign_checkpoint
from consent_service.ledger.standing import LedgerError
from consent_service.ledger.verifier import verify as verifier
from consent_service.ledger.verifier.verify import Rejected, read_zip, verify, write_zip
from tests.integration.conftest import DATABASES
from tests.integration.ledger.evidence import VERIFY, Desk, check_description, mutations
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def desk(core: Core, visitor: Visitor) -> Desk:
    """Give a privacy officer of the site."""
    return Desk(core)


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check each signature once: of the mutations most leave the checkpoint as it is."""
    monkeypatch.setattr(verifier, "ed25519_holds", cache(verifier.ed25519_holds))


def granted(visitor: Visitor) -> str:
    return str(visitor.another().accept().get_json()["decision_id"])


@both
def test_a_bundle_holds_and_says_what_it_proves(desk: Desk, visitor: Visitor) -> None:
    for _ in range(5):
        granted(visitor)
    decision_id = granted(visitor)
    granted(visitor)
    bundle = desk.bundle(decision_id)
    lines = verify(bundle, [desk.key])
    members = read_zip(bundle)
    record = json.loads(members["record.json"])
    assert record["decision_id"] == decision_id
    assert sha256(members["notice.json"]).hexdigest() == record["notice"]
    assert sha256(members["policy.json"]).hexdigest() == record["policy_hash"]
    assert any(line.startswith("notice.json: unchanged") for line in lines)
    assert any(line.startswith("record.json: unchanged") for line in lines)
    assert [line for line in lines if "a human clicked" in line]


@both
def test_the_same_evidence_is_the_same_bytes_and_any_zip_program_reads_them(desk: Desk, visitor: Visitor) -> None:
    decision_id = granted(visitor)
    bundle = desk.bundle(decision_id)
    assert desk.bundle(decision_id) == bundle
    with zipfile.ZipFile(io.BytesIO(bundle)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == read_zip(bundle)


def test_a_refusal_has_a_bundle_too(desk: Desk, visitor: Visitor) -> None:
    answer = visitor.refuse().get_json()
    bundle = desk.bundle(answer["decision_id"])
    verify(bundle, [desk.key])
    described = json.loads(read_zip(bundle)["consent-record.jsonld"])
    assert [each["@type"] for each in described["dpv:hasConsentStatus"]] == [["dpv:ConsentRefused"]]


def test_no_changed_byte_of_the_zip_file_itself_is_accepted(desk: Desk, visitor: Visitor) -> None:
    bundle = desk.bundle(granted(visitor))
    inside: set[int] = set()
    for data in read_zip(bundle).values():
        at = bundle.index(data)
        inside.update(range(at, at + len(data)))
    for at in set(range(len(bundle))) - inside:
        for changed in (
            bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :],
            bundle[:at] + bundle[at + 1 :],
            bundle[:at] + b"\0" + bundle[at:],
        ):
            with pytest.raises(Rejected):
                verify(changed, [desk.key])


def rezipped(bundle: bytes, **how: object) -> bytes:
    members, out = read_zip(bundle), io.BytesIO()
    with zipfile.ZipFile(out, "w", compression=int(str(how.get("compression", 0)))) as file:
        for name, data in sorted(members.items()):
            file.writestr(zipfile.ZipInfo(name), data, compress_type=int(str(how.get("compression", 0))))
        file.comment = bytes(str(how.get("comment", "")), "utf-8")
    return out.getvalue()


def test_tricks_with_the_zip_file_are_rejected(desk: Desk, visitor: Visitor) -> None:
    bundle = desk.bundle(granted(visitor))
    members = read_zip(bundle)
    renamed = {("Record.json" if name == "record.json" else name): data for name, data in members.items()}
    twice = bundle.replace(b"salt.hex", b"record.j")
    tricks = {
        "compressed": rezipped(bundle, compression=zipfile.ZIP_DEFLATED),
        "a comment": rezipped(bundle, comment="hello"),
        "data before": b"PK" + bundle,
        "data after": bundle + b"\0",
        "an extra member": write_zip({**members, "more.txt": b"more"}),
        "an extra member in a directory": write_zip({**members, "../../etc/passwd": b"more"}),
        "an extra proof": write_zip({**members, "more.tlog-proof": members["record.tlog-proof"]}),
        "an extra picture": write_zip({**members, "screenshot-1.png": b"png"}),
        "a renamed member": write_zip(renamed),
        "two names that are one": twice,
        "nothing": b"",
        "an empty zip": write_zip({}),
        "only a beginning": bundle[: len(bundle) // 2],
    } | {f"no {name}": write_zip({k: v for k, v in members.items() if k != name}) for name in members}
    for what, changed in tricks.items():
        with pytest.raises(Rejected):
            pytest.fail(f"{what}: {verify(changed, [desk.key])}")


def test_more_members_than_a_bundle_can_have_are_not_read(desk: Desk) -> None:
    with pytest.raises(Rejected):
        verify(write_zip({f"{number:06}": b"" for number in range(5_000)}), [desk.key])


def test_a_bundle_that_the_true_key_signed_must_still_be_of_one_piece(desk: Desk, visitor: Visitor) -> None:
    """What the keeper would never write: the notice or policy of another decision under a true signature."""
    members = read_zip(desk.bundle(granted(visitor)))
    verify(desk.signed_anew(dict(members)), [desk.key])
    for name in ("notice.json", "policy.json", "record.json", "salt.hex", "notice.entry.json"):
        with pytest.raises(Rejected):
            verify(desk.signed_anew({**members, name: members[name].replace(b"a", b"b", 1)}), [desk.key])


def test_another_key_is_never_trusted_wherever_it_lies(desk: Desk, visitor: Visitor, core: Core) -> None:
    bundle = desk.bundle(granted(visitor))
    true_key, name = desk.key, desk.key.split("+")[0]
    write_keys(core.config.data_dir, mint_keys(core.now(), name))
    members, forger = read_zip(bundle), SigningKey(name, b"f" * 32)
    said, _ = read_checkpoint(members["checkpoint"].decode())
    note = sign_checkpoint(said, [forger]).encode()
    forged = write_zip({each: data.replace(members["checkpoint"], note) for each, data in members.items()})
    verify(forged, [str(forger.verifier)])
    with pytest.raises(Rejected, match="not signed by the given key"):
        verify(forged, [true_key])


def test_signatures_of_keys_that_nobody_gave_are_rejected_in_a_bundle(desk: Desk, visitor: Visitor) -> None:
    members = read_zip(desk.bundle(granted(visitor)))
    said, _ = read_checkpoint(members["checkpoint"].decode())
    line = SigningKey("witness.example", b"w" * 32).sign(said.body())
    note = members["checkpoint"] + line.encode()
    changed = write_zip({each: data.replace(members["checkpoint"], note) for each, data in members.items()})
    with pytest.raises(Rejected):
        verify(changed, [desk.key])


@both
def test_a_rewritten_history_under_the_true_key_is_rejected_by_an_earlier_checkpoint(
    desk: Desk, visitor: Visitor, core: Core
) -> None:
    decision_id = granted(visitor)
    earlier = desk.sign([])
    granted(visitor)
    bundle = desk.bundle(decision_id, since=earlier)
    assert "the same log with the record" in "\n".join(verify(bundle, [desk.key], earlier.encode()))
    said, _ = read_checkpoint(earlier)
    keys = desk.integrator.keys.signing(core.now())
    rewritten = sign_checkpoint(Checkpoint(said.origin, said.size, b"\7" * 32), keys)
    with pytest.raises(Rejected, match="rewritten"):
        verify(bundle, [desk.key], rewritten.encode())
    with pytest.raises(LedgerError, match="not of this log's history"):
        desk.bundle(decision_id, since=rewritten)


def test_a_checkpoint_of_another_size_needs_the_proof_between(desk: Desk, visitor: Visitor, core: Core) -> None:
    from consent_service.ledger.tiles import compute
    from consent_service.ledger.tree import consistency_proof

    bundle = desk.bundle(granted(visitor))
    size = read_checkpoint(read_zip(bundle)["checkpoint"].decode())[0].size
    for _ in range(3):
        granted(visitor)
    later = desk.sign([])
    new = read_checkpoint(later)[0].size
    with pytest.raises(Rejected, match=f"from={size}&to={new}"):
        verify(bundle, [desk.key], later.encode())
    with core.engine.connect() as connection:
        hashes = compute(connection, lambda nodes: consistency_proof(size, new, nodes))
    proof = json.dumps({"hashes": [each.hex() for each in hashes]}).encode()
    assert "the given checkpoint and this one are of one history" in verify(bundle, [desk.key], later.encode(), proof)
    with pytest.raises(Rejected):
        verify(bundle, [desk.key], later.encode(), proof.replace(b"a", b"b", 1))


def test_an_anchor_with_the_record_is_in_the_bundle_with_its_stamp(desk: Desk, visitor: Visitor, core: Core) -> None:
    early = desk.sign([])
    decision_id = granted(visitor)
    anchored = desk.sign([])
    stamp = b"\x30\x50" + sha256(anchored.encode()).digest()
    for number, (note, token) in enumerate(((early, None), (anchored, stamp))):
        values = {
            "anchor_id": str(number),
            "kind": "webhook" if token is None else "timestamp",
            "status": "done",
            "tree_size": read_checkpoint(note)[0].size,
            "note": note,
            "token": token,
            "attempts": 1,
            "sent_at": core.now(),
        }
        core.writer.run(methodcaller("execute", ledger_anchor.insert().values(**values)))
    granted(visitor)
    bundle = desk.bundle(decision_id)
    members = read_zip(bundle)
    assert members["anchor.checkpoint"] == anchored.encode()
    assert members["anchor.tsr"] == stamp
    assert "anchor.checkpoint: the same log with the record" in verify(bundle, [desk.key])
    for what, changed in mutations(bundle, step=7):
        if "anchor" in what:
            with pytest.raises(Rejected):
                verify(changed, [desk.key])
    for name in ("anchor.checkpoint", "anchor.consistency", "anchor.tsr"):
        with pytest.raises(Rejected):
            verify(write_zip({each: data for each, data in members.items() if each != name}), [desk.key])


@both
def test_an_erased_decision_has_no_bundle(desk: Desk, visitor: Visitor, core: Core) -> None:
    someone = visitor.another()
    decision_id = someone.accept().get_json()["decision_id"]
    desk.sign([])
    receipt_id = str(someone.receipt_id)
    core.writer.run(lambda connection: remove_records(connection, receipt_id, reason="erasure", now=core.now()))
    with pytest.raises(NoSuchDecision):
        desk.bundle(decision_id)
    with pytest.raises(NoSuchDecision):
        desk.bundle("no such decision")


def test_the_program_says_it_on_the_command_line(desk: Desk, visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(desk.bundle(granted(visitor)))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # Apart from everything installed: the standard library alone.
        command = [sys.executable, "-I", "-S", str(VERIFY), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    good = run(str(file), "--key", desk.key)
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "OK")
    bad = run(str(file), "--key", str(SigningKey("consent-service/other", b"o" * 32).verifier))
    assert bad.returncode == 1
    assert bad.stderr.startswith("REJECTED: ")
    assert run(str(file)).returncode == 2
    assert run("--key", desk.key).returncode == 2
    assert run(str(tmp_path / "none.zip"), "--key", desk.key).returncode == 2


def test_openssl_verifies_the_same_checkpoint(desk: Desk, visitor: Visitor, tmp_path: Path) -> None:
    note = read_zip(desk.bundle(granted(visitor)))["checkpoint"].decode()
    body, _, line = note.rpartition("\n\n")
    (tmp_path / "body").write_text(f"{body}\n")
    (tmp_path / "signature").write_bytes(b64decode(line.split(" ")[2])[4:])
    seed = desk.integrator.keys.seeds[0]
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    (tmp_path / "key.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in body -sigfile signature".split()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert "Signature Verified Successfully" in done.stdout + done.stderr


def test_the_description_has_every_field_that_must_be_there(desk: Desk, visitor: Visitor) -> None:
    """ISO/IEC TS 27560 by the W3C's guide: each MUST, filled from the policy file and the record alone."""
    decision_id = granted(visitor)
    described = json.loads(read_zip(desk.bundle(decision_id))["consent-record.jsonld"])
    assert {"@id": "https://w3id.org/dpv/schema/dpv-27560#record"} in described["dct:conformsTo"]
    assert described["dct:identifier"] == decision_id
    assert described["dpv:hasDataSubject"]["dct:identifier"]
    check_description(described)
    assert {tuple(each["@type"]) for each in described["dpv:hasConsentStatus"]} == {
        ("dpv:ConsentGiven", "dpv:ExpressedConsent")
    }
