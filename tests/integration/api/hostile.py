"""Requests that nobody should send, by name: each a body with the headers that go with it."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from consent_service.collect.inbox_file import InboxReader, inbox_files
from consent_service.config import Config
from consent_service.core import Core
from consent_service.db.tables import decision, erasure_job, idempotency, receipt, revocation
from tests.integration.visitor import USER_AGENT

TABLES = (decision, receipt, revocation, erasure_job, idempotency)
FORGED = "WyIxIl0.aaaa.bbbb"

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One hostile request and what answers it: a status and a code."""

    body: bytes
    status: int
    code: str
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    is_chunked: bool = False


MALFORMED = (400, "malformed_json")
INVALID = (422, "invalid")


def envelope_faults(good: dict[str, Any]) -> dict[str, Fault]:
    """Give what is wrong before any member is looked at; `good` would be accepted."""
    return text_faults(orjson.dumps(good)) | body_faults(orjson.dumps(good))


def text_faults(text: bytes) -> dict[str, Fault]:
    """Give what is no JSON text, or holds what no text column could keep."""
    head, inside = text[:1], text[1:]
    return {
        "empty body": Fault(b"", *MALFORMED),
        "white space alone": Fault(b" \n\t ", *MALFORMED),
        "cut short": Fault(text[:-1], *MALFORMED),
        "two documents": Fault(text + text, *MALFORMED),
        "single quotes": Fault(text.replace(b'"', b"'"), *MALFORMED),
        "a comment": Fault(b"/* hello */" + text, *MALFORMED),
        "a comma at the end": Fault(text[:-1] + b",}", *MALFORMED),
        "byte order mark": Fault(b"\xef\xbb\xbf" + text, *MALFORMED),
        "UTF-16": Fault(text.decode().encode("utf-16"), *MALFORMED),
        "invalid UTF-8": Fault(head + b'"x":"\xff\xfe",' + inside, *MALFORMED),
        "overlong UTF-8": Fault(head + b'"x":"\xc0\xaf",' + inside, *MALFORMED),
        "surrogate in UTF-8": Fault(head + b'"x":"\xed\xa0\x80",' + inside, *MALFORMED),
        "escaped lone surrogate": Fault(head + b'"x":"\\ud800",' + inside, *MALFORMED),
        "escaped NUL in a value": Fault(head + b'"x":"a\\u0000b",' + inside, *MALFORMED),
        "escaped NUL in a name": Fault(head + b'"a\\u0000b":1,' + inside, *MALFORMED),
        "escaped NUL deep inside": Fault(head + b'"x":[{"y":["\\u0000"]}],' + inside, *MALFORMED),
        "raw NUL": Fault(head + b'"x":"\x00",' + inside, *MALFORMED),
        "raw line end in a text": Fault(head + b'"x":"a\nb",' + inside, *MALFORMED),
        "NaN": Fault(head + b'"x":NaN,' + inside, *MALFORMED),
        "Infinity": Fault(head + b'"x":-Infinity,' + inside, *MALFORMED),
        "a leading zero": Fault(head + b'"x":01,' + inside, *MALFORMED),
        "hexadecimal": Fault(head + b'"x":0x10,' + inside, *MALFORMED),
    }


def body_faults(text: bytes) -> dict[str, Fault]:
    """Give bodies that are too deep, too large, of another type or packed; and JSON that is no object."""
    head, inside = text[:1], text[1:]
    return {
        "30 kB of open lists": Fault(b"[" * 30_000, *MALFORMED),
        "30 kB of nested lists": Fault(b"[" * 15_000 + b"]" * 15_000, *MALFORMED),
        "60 kB of open lists": Fault(b"[" * 60_000, 413, "too_large"),
        "nested objects": Fault(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, *MALFORMED),
        "40 kB": Fault(head + b'"x":"' + b"a" * 40_000 + b'",' + inside, 413, "too_large"),
        "40 kB in chunks": Fault(head + b'"x":"' + b"a" * 40_000 + b'",' + inside, 413, "too_large", is_chunked=True),
        "cut short in chunks": Fault(text[:-1], *MALFORMED, is_chunked=True),
        "a list": Fault(b"[1]", *INVALID),
        "an empty list": Fault(b"[]", *INVALID),
        "null": Fault(b"null", *INVALID),
        "a number": Fault(b"1e3", *INVALID),
        "a text": Fault(b'"site"', *INVALID),
        "an empty object": Fault(b"{}", *INVALID),
        "gzip": Fault(gzip.compress(text), 415, "unsupported_media_type", {**JSON, "Content-Encoding": "gzip"}),
        "brotli": Fault(text, 415, "unsupported_media_type", {**JSON, "Content-Encoding": "br"}),
        "unmarked gzip": Fault(gzip.compress(text), *MALFORMED),
        "a form": Fault(
            b"site=x", 415, "unsupported_media_type", {"Content-Type": "application/x-www-form-urlencoded"}
        ),
        "XML": Fault(b"<a/>", 415, "unsupported_media_type", {"Content-Type": "application/xml"}),
        "a multipart form": Fault(
            b"--x--", 415, "unsupported_media_type", {"Content-Type": "multipart/form-data; boundary=x"}
        ),
        "no content type": Fault(text, 415, "unsupported_media_type", {}),
    }


def with_members(good: dict[str, Any], status: int, code: str, **members: Any) -> Fault:
    """Give the good document with other members."""
    return Fault(orjson.dumps({**good, **members}), status, code)


def with_raw(good: dict[str, Any], member: str, raw: bytes, status: int, code: str) -> Fault:
    """Give the good document with one member written byte by byte."""
    rest = orjson.dumps({name: value for name, value in good.items() if name != member})
    return Fault(b'{"' + member.encode() + b'":' + raw + b"," + rest[1:], status, code)


def without(good: dict[str, Any], *names: str, status: int = 422, code: str = "invalid") -> Fault:
    """Give the good document without some members."""
    return Fault(orjson.dumps({name: value for name, value in good.items() if name not in names}), status, code)


def kept(core: Core, config: Config) -> list[int]:
    """Count every row a request of a page could have made."""
    with core.engine.connect() as connection:
        counts = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES]
    events = 0
    for path in inbox_files(config.inbox_dir):
        reader = InboxReader(path)
        events += sum(item.kind == "events" for item in reader.items(0, 1000))
        reader.close()
    return [*counts, events]


def send(client: FlaskClient, path: str, fault: Fault, headers: dict[str, str]) -> TestResponse:
    given: dict[str, Any] = {"headers": {"User-Agent": USER_AGENT, **headers, **fault.headers}}
    if fault.is_chunked:
        return client.post(
            path, input_stream=BytesIO(fault.body), environ_overrides={"wsgi.input_terminated": True}, **given
        )
    return client.post(path, data=fault.body, **given)


def complaints(
    client: FlaskClient, path: str, faults: dict[str, Fault], headers: dict[str, str], count: Callable[[], list[int]]
) -> list[str]:
    """Send every fault; tell each that is answered in another way than it should be, or leaves something."""
    found = []
    before = count()
    for name, fault in faults.items():
        response = send(client, path, fault, headers)
        document = response.get_json(silent=True)
        error = document.get("error") if isinstance(document, dict) else None
        got = (response.status_code, error.get("code") if isinstance(error, dict) else response.text[:200])
        if got != (fault.status, fault.code):
            found.append(f"{name}: {got} instead of {(fault.status, fault.code)}")
        elif not isinstance(error, dict) or not isinstance(error.get("message"), str):
            found.append(f"{name}: an error without a sentence")
        elif fault.status == 422 and not all(
            item["pointer"] == "" or item["pointer"].startswith("/") for item in error["problems"]
        ):
            found.append(f"{name}: a problem without a pointer")
        after = count()
        if after != before:
            found.append(f"{name}: left {after} where there was {before}")
            before = after
    return found
