"""Read where the ledger's checkpoint is anchored: a time-stamping authority, a webhook, an officer's mailbox."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from consent_service.fields import is_loopback

NAMES: Final = (
    "ANCHOR_TIMESTAMP_URL",
    "ANCHOR_TIMESTAMP_ROOTS",
    "ANCHOR_WEBHOOK_URL",
    "ANCHOR_WEBHOOK_SECRET",
    "ANCHOR_EMAIL",
    "SMTP_URL",
    "SMTP_FROM",
)
MAX_URL: Final = 2_000
MAX_ROOTS_BYTES: Final = 256 * 1024
# Standard Webhooks: a secret has 24 to 64 bytes.
_SECRET_BYTES: Final = range(24, 65)
_SECRET_PREFIX: Final = "whsec_"
_ADDRESS: Final = re.compile(r"[^@\s<>\"',;:]{1,64}@[^@\s<>\"',;:]{1,190}")

Problem = Callable[[str, str], None]


class Security(StrEnum):
    """Say how the way to a mail server is protected; `plain` is for this machine alone."""

    TLS = "smtps"
    STARTTLS = "smtp"
    PLAIN = "smtp+plain"


_PORTS: Final = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}


@dataclass(frozen=True, slots=True)
class Authority:
    """Hold a time-stamping authority (RFC 3161) and the certificates it is trusted by, in PEM."""

    url: str
    roots: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Hold where a checkpoint is posted, and the secret that signs the message."""

    url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Hold a mail server, and the name and password it wants, if any."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Hold who is told of a checkpoint by e-mail, from whom, and through which server."""

    recipient: str
    sender: str
    server: MailServer


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Hold every place where checkpoints are anchored; each may be absent."""

    authority: Authority | None = None
    webhook: Webhook | None = None
    mailbox: Mailbox | None = None


def read_anchor_settings(settings: Mapping[str, str], problem: Problem) -> AnchorSettings:
    """Read and check the settings of all anchors, given without the prefix; tells every problem."""
    return AnchorSettings(_authority(settings, problem), _webhook(settings, problem), _mailbox(settings, problem))


def _authority(settings: Mapping[str, str], problem: Problem) -> Authority | None:
    url, path = settings.get("ANCHOR_TIMESTAMP_URL"), settings.get("ANCHOR_TIMESTAMP_ROOTS")
    if not _go_together(settings, ("ANCHOR_TIMESTAMP_URL", "ANCHOR_TIMESTAMP_ROOTS"), problem) or not (url and path):
        return None
    roots = _roots(Path(path), problem)
    _check_url("ANCHOR_TIMESTAMP_URL", url, problem)
    return Authority(url, roots)


def _roots(path: Path, problem: Problem) -> bytes:
    # Only who sets this pays for reading certificates at every start.
    from cryptography.x509 import load_pem_x509_certificates

    try:
        with path.open("rb") as file:
            text = file.read(MAX_ROOTS_BYTES)
        load_pem_x509_certificates(text)
    except OSError as error:
        problem("ANCHOR_TIMESTAMP_ROOTS", f"{path} cannot be read: {error.strerror}")
        return b""
    except ValueError:
        problem("ANCHOR_TIMESTAMP_ROOTS", f"{path} holds no certificates in PEM form")
        return b""
    return text


def _webhook(settings: Mapping[str, str], problem: Problem) -> Webhook | None:
    url, written = settings.get("ANCHOR_WEBHOOK_URL"), settings.get("ANCHOR_WEBHOOK_SECRET")
    if not _go_together(settings, ("ANCHOR_WEBHOOK_URL", "ANCHOR_WEBHOOK_SECRET"), problem) or not (url and written):
        return None
    _check_url("ANCHOR_WEBHOOK_URL", url, problem)
    try:
        secret = b64decode(written.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) not in _SECRET_BYTES:
        problem("ANCHOR_WEBHOOK_SECRET", "must be 24 to 64 bytes in base64; make them with: openssl rand -base64 32")
    return Webhook(url, secret)


def _mailbox(settings: Mapping[str, str], problem: Problem) -> Mailbox | None:
    names = ("ANCHOR_EMAIL", "SMTP_URL", "SMTP_FROM")
    if not _go_together(settings, names, problem) or not settings.get("ANCHOR_EMAIL"):
        return None
    for name in ("ANCHOR_EMAIL", "SMTP_FROM"):
        if not (_ADDRESS.fullmatch(settings[name]) and settings[name].isascii()):
            problem(name, "is not an e-mail address")
    server = _mail_server(settings["SMTP_URL"], problem)
    return None if server is None else Mailbox(settings["ANCHOR_EMAIL"], settings["SMTP_FROM"], server)


def _mail_server(url: str, problem: Problem) -> MailServer | None:
    parts = _split(url)
    if parts is None or parts.scheme not in list(Security) or parts.path not in ("", "/") or parts.query:
        problem("SMTP_URL", "must be like smtps://user:password@mail.example:465, or smtp:// for STARTTLS")
        return None
    security, host = Security(parts.scheme), parts.hostname or ""
    if security is Security.PLAIN and not is_loopback(host):
        problem("SMTP_URL", "smtp+plain:// is for a server on this machine alone; use smtps:// or smtp://")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        problem("SMTP_URL", "a user needs a password, and a password a user")
    return MailServer(host, parts.port or _PORTS[security], security, user, password)


def _go_together(settings: Mapping[str, str], names: tuple[str, ...], problem: Problem) -> bool:
    given = [name for name in names if settings.get(name)]
    missing = [name for name in names if name not in given]
    if given and missing:
        for name in missing:
            problem(name, f"is needed with {' and '.join(given)}")
    return not (given and missing)


def _check_url(name: str, value: str, problem: Problem) -> None:
    parts = _split(value)
    if parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.fragment:
        problem(name, "must be an http or https URL without user, password or fragment")


def _split(value: str) -> SplitResult | None:
    """Split a URL of printable characters that names a host and, if any, a port that there can be."""
    try:
        parts = urlsplit(value)
        is_good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_good and len(value) <= MAX_URL and re.fullmatch(r"[\x21-\x7e]+", value) else None
