"""Certificates of erasures: print one, and verify one that somebody brings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from consent_service.cli.deployment import data_dir_option
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show
from consent_service.config import directory_of
from consent_service.consent.certificate import describe_erasure
from consent_service.consent.erasure import certificate_url, get_erasure
from consent_service.consent.tokens import TokenSigner
from consent_service.core import Core
from consent_service.errors import NotMerged
from consent_service.ledger.certificate import CertificateError, check_certificate, seal_document
from consent_service.ledger.keys import read_keys
from consent_service.ledger.notes import NoteError, VerifierKey, parse_key
from consent_service.times import timestamp

MAX_CERTIFICATE = 1024 * 1024


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--key", metavar="KEY", help="The log's key as name+hash+base64 (else the deployment's own keys).")
@data_dir_option
@json_option
def certificate(file: Path, key: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Verify an erasure certificate with the log's key; with --key it needs no deployment and no network."""
    keys = read_keys(directory_of(data_dir)).verifiers() if key is None else [_key(key)]
    try:
        sealed = orjson.loads(file.read_bytes()[:MAX_CERTIFICATE])
        said = check_certificate(sealed, keys)
    except orjson.JSONDecodeError as error:
        raise Refused(f"{file} is not JSON: {error}") from error
    except CertificateError as error:
        raise Refused(f"{file} does not hold: {error}") from error
    show({"ok": True, "certificate": said}, as_json, lambda: written({"verified": "yes", **said}))


def certify(core: Core, erasure_id: str) -> dict[str, Any]:
    """Give the address of an erasure's certificate, and the signed certificate itself.

    `certificate` is None while the erasure is held or nothing can be signed; the address then leads to it later.
    """

    def sign(lines: list[str]) -> str:
        return str(ask_keeper(core, "sign_checkpoint", extensions=lines)["note"])

    with core.engine.connect() as connection:
        erasure = get_erasure(connection, erasure_id)
    signer = TokenSigner([key.value for key in core.config.secret_keys])
    url = None if erasure is None else core.config.public_url + certificate_url(erasure, signer)
    sealed = None
    try:
        # What was erased a moment ago gets its leaf by this.
        sign([])
        with core.engine.connect() as connection:
            document = describe_erasure(connection, erasure_id, core.now())
        sealed = seal_document(core.engine, document, sign)
    except (Refused, NotMerged):
        pass
    return {"certificate_url": url, "certificate": sealed}


def written(done: dict[str, Any]) -> str:
    """Write what an erasure did for people, one member a line."""
    shown = {name: value for name, value in done.items() if name not in ("certificate", "counts", "entries")}
    shown |= done.get("counts", {})
    return "\n".join(f"{name:<15} {_word(value)}" for name, value in shown.items())


def _word(value: Any) -> str:
    if value is None:
        return "-"
    return timestamp(value) if isinstance(value, datetime) else str(value)


def _key(text: str) -> VerifierKey:
    try:
        return parse_key(text)
    except NoteError as error:
        raise click.BadParameter(str(error), param_hint="--key") from error
