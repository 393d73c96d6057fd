"""Checkpoints reach a webhook, signed, and the officer's mailbox, over a way that can be trusted or not at all."""

from __future__ import annotations

import hmac
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from consent_service.anchor_settings import Mailbox, MailServer, Security, Webhook
from consent_service.ledger.delivery import mail_checkpoint, post_checkpoint
from consent_service.ledger.post import NotDelivered, post
from tests.integration.ledger.outside import answering

ROOT = b64encode(b"r" * 32).decode()
NOTE = f"consent-service/0123456789abcdef\n12\n{ROOT}\n\n— consent-service/0123456789abcdef AAAA\n"
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
SECRET = b"s" * 32


def test_a_webhook_gets_the_checkpoint_and_a_signature_by_standard_webhooks() -> None:
    with answering(lambda _: (204, {}, b"")) as server:
        post_checkpoint(NOTE, Webhook(f"{server.url}/hook", SECRET), "message-1", NOW)
    [asked] = server.asked
    assert orjson.loads(asked.body) == {
        "type": "ledger.checkpoint",
        "timestamp": "2026-12-01T09:30:00.000Z",
        "data": {"origin": "consent-service/0123456789abcdef", "tree_size": 12, "root": ROOT, "checkpoint": NOTE},
    }
    signed = b".".join([b"message-1", asked.headers["webhook-timestamp"].encode(), asked.body])
    assert asked.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    expected = b64encode(hmac.new(SECRET, signed, sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    assert (asked.headers["webhook-id"], asked.headers["content-type"]) == ("message-1", "application/json")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_webhook_that_leads_elsewhere_is_not_followed(status: int) -> None:
    with answering(lambda _: (200, {}, b"")) as inside:
        with answering(lambda _: (status, {"Location": inside.url}, b"")) as server:
            with pytest.raises(NotDelivered, match="redirects are not followed"):
                post_checkpoint(NOTE, Webhook(server.url, SECRET), "1", NOW)
    assert inside.asked == []


def test_a_server_that_drips_is_cut_off() -> None:
    """Each byte comes within the time of one step; all together would take for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        is_over = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not is_over.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        with pytest.raises(NotDelivered):
            post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"", {}, 1000, whole=0.5)
        is_over.set()
        thread.join()
    assert time.monotonic() - started < 5


class Inbox:
    """Keep what a mail server takes."""

    def __init__(self) -> None:
        self.mails: list[tuple[EmailMessage, Envelope, Session]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((message, envelope, session))
        return "250 kept"


def check_login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"officer", b"p@ss:word")
    return AuthResult(success=good, handled=False)


@contextmanager
def mail_server(inbox: Inbox, **how: Any) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=20, **how)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for localhost that is its own authority; its key lies beside it."""
    path = tmp_path_factory.mktemp("mail") / "mail.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2",
         "-keyout", str(path.with_suffix(".key")), "-out", str(path), "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """Give the server's side of TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def mailbox(port: int, security: Security, user: str = "", password: str = "") -> Mailbox:
    server = MailServer("localhost" if security != Security.PLAIN else "127.0.0.1", port, security, user, password)
    return Mailbox("officer@nouvelles.example", "ledger@consent.example", server)


def test_an_officer_gets_the_checkpoint_as_text_and_byte_for_byte() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        mail_checkpoint(NOTE, mailbox(port, Security.PLAIN), NOW)
    [(message, envelope, _)] = inbox.mails
    assert (message["To"], message["From"]) == ("officer@nouvelles.example", "ledger@consent.example")
    assert message["Subject"] == "Consent ledger: checkpoint of 12 entries"
    assert envelope.rcpt_tos == ["officer@nouvelles.example"]
    body = message.get_body()
    assert body is not None
    assert NOTE.splitlines()[2] in body.get_content()
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == "checkpoint-0123456789abcdef-12.txt"
    assert attachment.get_content() == NOTE.encode()


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_mail_server_over_tls_gets_the_password(
    security: Security, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    how: dict[str, Any] = {"authenticator": check_login}
    # With TLS from the first byte this server does not know that it has it.
    how |= {"ssl_context": tls, "auth_require_tls": False} if security is Security.TLS else {"tls_context": tls}
    inbox = Inbox()
    with mail_server(inbox, **how) as port:
        mail_checkpoint(NOTE, mailbox(port, security, "officer", "p@ss:word"), NOW)
        with pytest.raises(NotDelivered, match=r"refused \(SMTPAuthenticationError, 535\)"):
            mail_checkpoint(NOTE, mailbox(port, security, "officer", "wrong"), NOW)
    [(_, _, session)] = inbox.mails
    assert (session.authenticated, session.ssl is not None) == (True, security is Security.STARTTLS)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_mail_server_with_an_unknown_certificate_gets_nothing(security: Security, tls: ssl.SSLContext) -> None:
    how = {"ssl_context": tls} if security is Security.TLS else {"tls_context": tls}
    inbox = Inbox()
    with mail_server(inbox, **how) as port, pytest.raises(NotDelivered, match="not to be trusted"):
        mail_checkpoint(NOTE, mailbox(port, security), NOW)
    assert inbox.mails == []


def test_a_mail_server_without_starttls_gets_nothing_in_the_clear() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port, pytest.raises(NotDelivered, match="SMTPNotSupportedError"):
        mail_checkpoint(NOTE, mailbox(port, Security.STARTTLS), NOW)
    assert inbox.mails == []


def test_a_mail_server_that_is_not_there_is_told_of() -> None:
    with mail_server(Inbox()) as port:
        pass
    with pytest.raises(NotDelivered, match="cannot be reached"):
        mail_checkpoint(NOTE, mailbox(port, Security.PLAIN), NOW)
