"""`ledger bundle` and `ledger verify BUNDLE`: write the evidence of one decision, and check such a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consent_service.cli.deployment import ACTOR, data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show
from consent_service.consent.evidence_bundle import NoSuchDecision, bundle_decision
from consent_service.core import Core
from consent_service.db.audit import note
from consent_service.ledger.keys import read_keys
from consent_service.ledger.notes import NoteError, open_checkpoint
from consent_service.ledger.standing import LedgerError
from consent_service.ledger.verifier.verify import MAX_BYTES, Rejected
from consent_service.ledger.verifier.verify import verify as verify_evidence

MAX_NOTE = 64 * 1024
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("decision_id", metavar="DECISION_ID")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The zip file to write.")
@click.option("--since", type=_FILE, help="A checkpoint that somebody has, to be proven a beginning of the log.")
@data_dir_option
@json_option
def bundle(decision_id: str, out: Path, since: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Write the evidence of a decision: record, notice, policy, proofs and what checks them, in one zip file."""
    with opened(data_dir) as core:
        content = _bundle(core, decision_id, None if since is None else _read_since(core, since))
        try:
            out.write_bytes(content)
        except OSError as error:
            raise Refused(f"{out}: {error.strerror}; choose a file that you may write") from error
        core.writer.run(
            lambda connection: note(
                connection, at=core.now(), actor=ACTOR, action="ledger.bundle", subject=decision_id, detail={}
            )
        )
    document = {"decision_id": decision_id, "out": str(out), "bytes": len(content)}
    show(document, as_json, lambda: f"{out}: {len(content)} bytes; check it with: consent-service ledger verify {out}")


def verify_file(core: Core, path: Path, as_json: bool) -> int:
    """Check a bundle or a receipt with the deployment's own keys; prints what holds and gives the exit code."""
    keys = [str(key) for key in read_keys(core.config.data_dir).verifiers()]
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    document: dict[str, Any] = {"ok": True, "file": str(path), "lines": [], "reason": None}
    try:
        document["lines"] = verify_evidence(content, keys)
    except Rejected as error:
        document |= {"ok": False, "reason": str(error)}
    show(document, as_json, lambda: "\n".join(document["lines"] or [f"{path}: REJECTED: {document['reason']}"]))
    return 0 if document["ok"] else 1


def _bundle(core: Core, decision_id: str, since: str | None) -> bytes:
    def sign(extensions: list[str]) -> str:
        return str(ask_keeper(core, "sign_checkpoint", extensions=extensions)["note"])

    try:
        return bundle_decision(core.engine, sign, decision_id, core.config.public_url, since=since)
    except NoSuchDecision as error:
        raise Refused(f"{error}; the console's consent log and `GET /api/v1/decisions` list them") from error
    except LedgerError as error:
        raise Refused(str(error)) from error


def _read_since(core: Core, path: Path) -> str:
    """Read a checkpoint that is of this log; which history it is of shows later."""
    with path.open("rb") as file:
        content = file.read(MAX_NOTE)
    try:
        text = content.decode()
        open_checkpoint(text, read_keys(core.config.data_dir).verifiers())
    except (UnicodeDecodeError, NoteError) as error:
        raise Refused(f"{path} is no checkpoint of this log: {error}") from error
    return text
