"""Hand a checkpoint to people and programs outside: a signed message to a webhook, an e-mail to the officer."""

from __future__ import annotations

import hmac
import smtplib
import ssl
from base64 import b64encode
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from hashlib import sha256
from typing import Final

import orjson

from consent_service.anchor_settings import Mailbox, MailServer, Security, Webhook
from consent_service.ledger.post import STEP_SECONDS, NotDelivered, post

MAX_ANSWER: Final = 64 * 1024

_TEXT: Final = """\
This is the newest checkpoint of the consent ledger that you look after. Keep this message where whoever runs the
server cannot change it: it proves later that nothing that was in the ledger by now has been altered or removed.

    consent-service ledger verify

compares the ledger with its own checkpoints; the lines below are what this one must be.

{note}"""


def post_checkpoint(note: str, webhook: Webhook, message_id: str, now: datetime) -> None:
    """Post a checkpoint as JSON, signed as Standard Webhooks says (HMAC-SHA256); raises NotDelivered."""
    origin, size, root = note.split("\n", 3)[:3]
    body = orjson.dumps(
        {
            "type": "ledger.checkpoint",
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {"origin": origin, "tree_size": int(size), "root": root, "checkpoint": note},
        }
    )
    stamp = str(int(now.timestamp()))
    signature = hmac.digest(webhook.secret, f"{message_id}.{stamp}.".encode() + body, sha256)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
    post(webhook.url, body, headers, MAX_ANSWER)


def mail_checkpoint(note: str, mailbox: Mailbox, now: datetime) -> None:
    """Send a checkpoint by e-mail, as text and as an attachment with its exact bytes; raises NotDelivered."""
    origin, size = note.split("\n", 2)[:2]
    message = EmailMessage()
    message["From"], message["To"] = mailbox.sender, mailbox.recipient
    message["Subject"] = f"Consent ledger: checkpoint of {size} entries"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=mailbox.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_TEXT.format(note=note))
    name = f"checkpoint-{origin.rpartition('/')[2]}-{size}.txt"
    message.add_attachment(note.encode(), maintype="application", subtype="octet-stream", filename=name)
    try:
        with _connect(mailbox.server) as server:
            if mailbox.server.user:
                server.login(mailbox.server.user, mailbox.server.password)
            server.send_message(message)
    except ssl.SSLError as error:
        raise NotDelivered(f"the mail server is not to be trusted: {error.reason or error}") from error
    except smtplib.SMTPResponseException as error:
        # Its text may repeat what it was sent; the number says enough.
        raise NotDelivered(f"the mail server refused ({type(error).__name__}, {error.smtp_code})") from error
    except smtplib.SMTPException as error:
        raise NotDelivered(f"the mail server refused ({type(error).__name__})") from error
    except OSError as error:
        raise NotDelivered(f"the mail server cannot be reached: {error or type(error).__name__}") from error


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.security is Security.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=STEP_SECONDS, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=STEP_SECONDS)
    if server.security is Security.STARTTLS:
        try:
            connection.starttls(context=ssl.create_default_context())
        except BaseException:
            connection.close()
            raise
    return connection
