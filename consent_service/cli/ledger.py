"""`ledger`: verify the log of everything decided, and go on with one that was restored. `secrets`: change the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consent_service.cli.anchor import anchor
from consent_service.cli.bundle import bundle, verify_file
from consent_service.cli.certificate import certificate
from consent_service.cli.deployment import ACTOR, data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show
from consent_service.config import read_settings
from consent_service.core import Core
from consent_service.db.audit import note
from consent_service.db.engine import is_sqlite
from consent_service.ledger.guard import Guard
from consent_service.ledger.keys import read_keys
from consent_service.ledger.verify import Verified, verify_log
from consent_service.secrets import VERIFYING_LIFE, rotate_secrets

MAX_REASON = 500
TOKENS, LEDGER = "tokens", "ledger"


@click.group("ledger")
def ledger() -> None:
    """Verify the log of all decisions, and go on after a restored backup."""


ledger.add_command(bundle)


@ledger.command()
@click.argument("bundle", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_dir_option
@json_option
def verify(bundle: Path | None, data_dir: Path | None, as_json: bool) -> int:
    """Verify the whole log with the deployment's own key, or an evidence bundle or receipt; exit code 1 when bad."""
    with opened(data_dir) as core:
        if bundle is not None:
            return verify_file(core, bundle, as_json)
        found = _verify(core)
    document = {
        "ok": not found.faults,
        "leaves": found.leaves,
        "checkpoints": found.checkpoints,
        "first_bad": found.first_bad,
        "faults": [{"leaf_index": fault.leaf_index, "message": fault.message} for fault in found.faults],
    }
    show(document, as_json, lambda: _words(found))
    return 1 if found.faults else 0


def _verify(core: Core) -> Verified:
    keys = read_keys(core.config.data_dir)
    # Before the database: what is signed while this reads is in the database, and not yet in what was read here.
    guarded = Guard(core.config.data_dir).read()
    options = {} if is_sqlite(core.engine) else {"isolation_level": "REPEATABLE READ"}
    with core.engine.connect().execution_options(**options) as connection:
        return verify_log(connection, keys, guarded)


def _words(found: Verified) -> str:
    counted = f"{found.leaves} leaves, {found.checkpoints} checkpoints"
    if not found.faults:
        return f"{counted}: all of it verifies"
    faults = sorted(found.faults, key=lambda fault: fault.leaf_index)
    return "\n".join([f"{counted}: the first bad leaf is {found.first_bad}", *(_line(fault) for fault in faults)])


def _line(fault: Any) -> str:
    return f"leaf {fault.leaf_index}: {fault.message}"


@ledger.command("restore-accept")
@click.option("--reason", required=True, metavar="TEXT", help="Why the log goes on from an older database.")
@data_dir_option
@json_option
def restore_accept(reason: str, data_dir: Path | None, as_json: bool) -> None:
    """Go on signing after an older database was restored; the log itself says so, with the reason."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise click.BadParameter(f"give 1 to {MAX_REASON} characters", param_hint="--reason")
    with opened(data_dir) as core:
        accepted = ask_keeper(core, "restore_accept", reason=reason)
        core.writer.run(
            lambda connection: note(
                connection, at=core.now(), actor=ACTOR, action="ledger.restore_accept", subject=reason, detail=accepted
            )
        )
    signed = "an unknown number of" if accepted["signed_size"] is None else accepted["signed_size"]
    text = f"the log goes on from {accepted['restored_size']} leaves, where {signed} were signed; the log says so"
    show(accepted, as_json, lambda: text)


@click.group("secrets")
def secrets() -> None:
    """Change the keys that tokens and the log are signed with."""


@secrets.command()
@click.option("--only", type=click.Choice([TOKENS, LEDGER]), help="Change one of the two keys alone.")
@data_dir_option
@json_option
def rotate(only: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Make new keys for tokens and for the log; what older ones signed still verifies, so nobody is asked again."""
    with opened(data_dir) as core:
        if only != LEDGER and read_settings(core.config.data_dir).get("SECRET_KEYS"):
            raise Refused(
                "the token keys come from CONSENT_SERVICE_SECRET_KEYS: put a new one before the others there, and "
                "change the log's with --only ledger"
            )
        key = None if only == TOKENS else ask_keeper(core, "rotate_ledger_key")["key"]
        kept = None if only == LEDGER else rotate_secrets(core.config.data_dir, core.now())
        core.writer.run(
            lambda connection: note(
                connection,
                at=core.now(),
                actor=ACTOR,
                action="secrets.rotate",
                subject=only or "all",
                detail={"ledger_key": key},
            )
        )
    lines = [] if key is None else [f"the log is signed with {key}, for 30 days with the key before it too"]
    if kept is not None:
        lines.append(
            "tokens are signed with the new key once the server is started again; "
            f"older keys verify for {VERIFYING_LIFE.days} days"
        )
    show({"ledger_key": key, "token_keys": kept, "restart": kept is not None}, as_json, lambda: "\n".join(lines))


ledger.add_command(anchor)
ledger.add_command(certificate)
COMMANDS = (ledger, secrets)
