"""Faults by name, each put into an otherwise valid request of an endpoint, written byte by byte."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.client import BadStatusLine, HTTPResponse, RemoteDisconnected
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from tests.faults.conftest import ORIGIN, Server

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@dataclass(frozen=True)
class Sent:
    """Hold a request as it goes over the wire; `query` and `path` are escaped already."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, bytes] = field(default_factory=dict)
    body: bytes | None = None

    def with_headers(self, **changed: bytes) -> Sent:
        """Give the request with other headers; `_` stands for `-`."""
        return replace(self, headers={**self.headers, **{n.replace("_", "-"): v for n, v in changed.items()}})

    def written(self) -> bytes:
        """Give the bytes of the request."""
        target = self.path + (f"?{self.query}" if self.query else "")
        lines = [f"{self.method} {target} HTTP/1.1".encode("latin-1"), b"Host: 127.0.0.1", b"Connection: close"]
        lines += [name.encode() + b": " + value for name, value in self.headers.items()]
        if self.body is not None and "Content-Length" not in self.headers and "Transfer-Encoding" not in self.headers:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")


def answer(server: Server, written: bytes) -> int:
    """Send bytes and give the status of the answer; 0 when the connection ends without one, -1 when it is reset."""
    try:
        with server.connect() as connection:
            try:
                connection.sendall(written)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # Answered before all of it was sent; the answer is there to be read.
            got = HTTPResponse(connection, method=written.split(b" ")[0].decode("latin-1"))
            got.begin()
            got.read()
            return got.status
    except (RemoteDisconnected, BadStatusLine):
        return 0
    except ConnectionError:
        return -1


TEXT_FAULTS: dict[str, Any] = {
    "empty body": lambda text: b"",
    "blanks": lambda text: b" \n\t ",
    "cut short": lambda text: text[:-1],
    "cut in the middle": lambda text: text[: len(text) // 2],
    "two documents": lambda text: text + text,
    "single quotes": lambda text: text.replace(b'"', b"'"),
    "a comment": lambda text: b"/* hello */" + text,
    "a comma at the end": lambda text: text[:-1] + b",}",
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "UTF-32": lambda text: text.decode().encode("utf-32"),
    "invalid UTF-8": lambda text: b'{"x":"\xff\xfe",' + text[1:],
    "overlong UTF-8": lambda text: b'{"x":"\xc0\xaf",' + text[1:],
    "a surrogate in UTF-8": lambda text: b'{"x":"\xed\xa0\x80",' + text[1:],
    "an escaped lone surrogate": lambda text: b'{"x":"\\ud800",' + text[1:],
    "a surrogate pair the wrong way": lambda text: b'{"x":"\\udc00\\ud800",' + text[1:],
    "an escaped NUL": lambda text: b'{"x":"a\\u0000b",' + text[1:],
    "an escaped NUL in a name": lambda text: b'{"a\\u0000":1,' + text[1:],
    "a raw NUL": lambda text: b'{"x":"\x00",' + text[1:],
    "NULs alone": lambda text: b"\x00" * 100,
    "NaN": lambda text: b'{"x":NaN,' + text[1:],
    "Infinity": lambda text: b'{"x":-Infinity,' + text[1:],
    "a leading zero": lambda text: b'{"x":01,' + text[1:],
    "hexadecimal": lambda text: b'{"x":0x10,' + text[1:],
    "1e999": lambda text: b'{"x":1e999,' + text[1:],
    "a number of 30,000 digits": lambda text: b'{"x":' + b"9" * 30_000 + b"," + text[1:],
    "a fraction of 30,000 digits": lambda text: b'{"x":0.' + b"9" * 30_000 + b"," + text[1:],
    "a member twice": lambda text: b'{"x":1,"x":2,' + text[1:],
    "a member of the name __proto__": lambda text: b'{"__proto__":{"x":1},"constructor":{},' + text[1:],
    "4,000 members": lambda text: (
        b"{" + b"".join(b'"%d":1,' % n for n in range(4000))[:30_000].rpartition(b",")[0] + b"}"
    ),
    "a member twice, deep inside": lambda text: b'{"x":[{"y":1,"y":2}],' + text[1:],
    "open lists": lambda text: b"[" * 30_000,
    "nested lists": lambda text: b"[" * 15_000 + b"]" * 15_000,
    "nested objects": lambda text: b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "nested 900 deep": lambda text: b'{"x":' + b"[" * 900 + b"]" * 900 + b"," + text[1:],
    "nested 900 deep with a quote and a colon": lambda t: b'{"x":' + b"[" * 900 + b'"\\":"' + b"]" * 900 + b"," + t[1:],
    "40 kB": lambda text: b'{"x":"' + b"a" * 40_000 + b'",' + text[1:],
    "2 MB": lambda text: b'{"x":"' + b"a" * 2_000_000 + b'",' + text[1:],
    "a list": lambda text: b"[1]",
    "null": lambda text: b"null",
    "a number": lambda text: b"1e3",
    "a text": lambda text: b'"site"',
    "an empty object": lambda text: b"{}",
    "unmarked gzip": lambda text: gzip.compress(text),
    "a form": lambda text: b"site=x&token=y",
    "XML with an entity": lambda text: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a pickle": lambda text: b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n(S'id'\ntR.",
}
STRANGE_VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "-1": -1,
    "2**63": 2**63,
    "10**30": 10**30,
    "1e308": 1e308,
    "an empty text": "",
    "an empty list": [],
    "an empty object": {},
    "a list of lists": [[[[]]]],
    "a text of 20 kB": "x" * 20_000,
    "quotes and dashes": "' OR 1=1; --",
    "a path upwards": "../../../../etc/passwd",
    "a template": "{{7*7}}${7*7}<%= 7*7 %>",
    "a tag": "<script>alert(1)</script>",
    "a line end": "a\r\nX-Evil: 1",
    "emoji and marks": "🍪\u202e\u0301" * 20,
}
HEADER_FAULTS: dict[str, dict[str, bytes]] = {
    "a gzip body by its header alone": {"Content-Encoding": b"gzip"},
    "a coding that is none": {"Content-Encoding": b"zip, bomb"},
    "no type": {"Content-Type": b""},
    "a type that is none": {"Content-Type": b"application/json; charset=utf-7; charset=\xff"},
    "multipart without a boundary": {"Content-Type": b"multipart/form-data"},
    "a length that is a word": {"Content-Length": b"many"},
    "a negative length": {"Content-Length": b"-1"},
    "a length with a sign": {"Content-Length": b"+1"},
    "a length of 400 digits": {"Content-Length": b"9" * 400},
    "a length and chunks": {"Content-Length": b"3", "Transfer-Encoding": b"chunked"},
    "chunks that are none": {"Transfer-Encoding": b"chunked"},
    "a transfer coding that is none": {"Transfer-Encoding": b"gzip"},
    "a foreign origin": {"Origin": b"https://evil.example"},
    "the null origin": {"Origin": b"null"},
    "an origin of bytes": {"Origin": b"https://\xff\xfe"},
    "an origin of 7 kB": {"Origin": b"https://" + b"a" * 7000},
    "a signal": {"Sec-GPC": b"1"},
    "a signal of bytes": {"Sec-GPC": b"\xff, 1 ,,,"},
    "an agent of 7 kB": {"User-Agent": b"Mozilla/5.0 " + b"(;" * 3500},
    "an agent of bytes": {"User-Agent": b"\x80\xff\xc0\xaf"},
    "no agent": {"User-Agent": b""},
    "forwarded from everywhere": {"X-Forwarded-For": b"1.2.3.4, " * 500 + b"::ffff:1.2.3.4, [::1]:80, x"},
    "forwarded from bytes": {"X-Forwarded-For": b"\xff, unknown, _hidden"},
    "a foreign host before": {"X-Forwarded-Host": b"evil.example", "X-Forwarded-Proto": b"gopher"},
    "a prefix before": {"X-Forwarded-Prefix": b"//evil.example/"},
    "places of a stranger": {"CF-IPCountry": b"FR", "CF-IPCity": b"\xff%ff%00", "CF-Region-Code": b"\x01"},
    "a language list of 7 kB": {"Accept-Language": b"fr;q=0.5," * 700},
    "a language that is none": {"Accept-Language": b";q=;q=1e999,*;;"},
    "encodings that are none": {"Accept-Encoding": b"br;q=nan, gzip;q=-1, \xff"},
    "an etag that is none": {"If-None-Match": b'W/"\xff, "'},
    "a date that is none": {"If-Modified-Since": b"Thu, 99 Foo 99999 99:99:99 GMT"},
    "a range": {"Range": b"bytes=9999999999999999999-0,-"},
    "an expectation that is none": {"Expect": b"the-unexpected"},
    "an upgrade": {"Upgrade": b"websocket", "Sec-WebSocket-Key": b"x"},
    "a method over the method": {"X-HTTP-Method-Override": b"DELETE"},
    "50 headers": {f"X-{number}": b"y" for number in range(50)},
    "150 headers": {f"X-{number}": b"y" for number in range(150)},
    "a header of 20 kB": {"X-Long": b"a" * 20_000},
    "a name with a blank": {"X Bad": b"1"},
    "a folded header": {"X-Folded": b"a\r\n b"},
    "a split header": {"X-Split": b"a\nSet-Cookie: x=y"},
    "a lone carriage return": {"X-CR": b"a\rb"},
    "a NUL in a header": {"X-Nul": b"a\x00b"},
    "cookies that are none": {"Cookie": b"=;;;\xff=\xff; a; $Version=1; " + b"x=y; " * 300},
}
# Of these none is a token of ours; `own` stands for one that is.
TOKEN_FAULTS: dict[str, Any] = {
    "blanks": lambda own: b"   ",
    "a forged one": lambda own: b"WyIxIl0.aaaa.bbbb",
    "one without its end": lambda own: own[:-4],
    "one with more": lambda own: own + b"AA",
    "one with another first letter": lambda own: (b"A" if own[:1] != b"A" else b"B") + own[1:],
    "the payload alone": lambda own: own.split(b".")[0],
    "the signature alone": lambda own: own.rsplit(b".", 1)[-1],
    "dots alone": lambda own: b"." * 50,
    "a packed one": lambda own: b".eJwBAAD__wAAAAE.aaaa.bbbb",
    "a web token without a signature": lambda own: b"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "7 kB": lambda own: b"x" * 7_000,
    "bytes": lambda own: b"\xff\xfe\x80",
    "base64 of bytes": lambda own: b"____.____.____",
    "an escape": lambda own: b"%00%ff",
    "upper case": lambda own: own.upper(),
    "twice": lambda own: own + b"." + own,
}
PATH_FAULTS = ("%00", "%ff", "..%2f..%2fetc%2fpasswd", "a" * 3000, "%F0%9F%8D%AA", "%0d%0aX:1", "-1", "1e9", "'", "%%%")
QUERY_FAULTS = ("%00", "%ff", "x" * 3000, "%F0%9F%8D%AA", "-1", "9" * 400, "9999-12-31", "0001-01-01", "' OR 1=1", "[]")


@dataclass(frozen=True)
class Place:
    """Hold the valid request of an endpoint, the names of its parameters, and the token that signs it."""

    label: str
    sent: Sent
    path_names: tuple[str, ...]
    query_names: tuple[str, ...]
    template: str
    values: Mapping[str, str]
    document: dict[str, Any] | None
    token: bytes


def corpus(place: Place, turn: int) -> Iterator[tuple[str, bytes]]:
    """Give faults of an endpoint by name, as bytes.

    The calls of visitors get every fault; of the others each gets a part, and `turn` says which, so that together they
    get every one many times.
    """
    share = 1 if place.label.startswith("POST /v1/") else 5
    for name, headers in _part(HEADER_FAULTS, share, turn):
        merged = {**place.sent.headers, **headers}
        yield f"header: {name}", replace(place.sent, headers=merged).written()
    if place.token:
        yield from _tokens(place, share, turn)
    for name in place.path_names:
        for wrong in PATH_FAULTS[turn % 2 :: 2]:
            path = place.template.format(**{**place.values, name: wrong})
            yield f"path {name}: {wrong[:20]}", replace(place.sent, path=path).written()
    for name in place.query_names:
        for wrong in QUERY_FAULTS[turn % 2 :: 2]:
            query = "&".join(filter(None, [place.sent.query, f"{name}={quote(wrong, safe='%')}"]))
            yield f"query {name}: {wrong[:20]}", replace(place.sent, query=query).written()
    for method in ("TRACE", "PATCH", "BREW", "OPTIONS", "HEAD")[turn % 2 :: 2]:
        yield f"method: {method}", replace(place.sent, method=method).written()
    if place.document is not None:
        yield from _bodies(place, place.document, share, turn)


def _part(faults: Mapping[str, Any], share: int, turn: int) -> list[tuple[str, Any]]:
    return list(faults.items())[turn % share :: share]


def _tokens(place: Place, share: int, turn: int) -> Iterator[tuple[str, bytes]]:
    for name, make in _part(TOKEN_FAULTS, share, turn):
        wrong = make(place.token)
        yield f"bearer: {name}", place.sent.with_headers(Authorization=b"Bearer " + wrong).written()
        if place.document is not None and "token" in place.document:
            body = json.dumps({**place.document, "token": wrong.decode("latin-1")}).encode()
            without = {key: value for key, value in place.sent.headers.items() if key != "Authorization"}
            yield f"token: {name}", replace(place.sent, headers=without, body=body).written()
    yield "a scheme that is none", place.sent.with_headers(Authorization=b"Basic eDp5").written()


def _bodies(place: Place, document: dict[str, Any], share: int, turn: int) -> Iterator[tuple[str, bytes]]:
    text = json.dumps(document).encode()
    if place.sent.headers.get("Content-Type") == FORM.encode():
        for place_of, name in enumerate(document):
            for strange, value in _part(STRANGE_VALUES, 3, place_of):
                form = urlencode({**document, name: value}).encode()
                yield f"field {name}: {strange}", replace(place.sent, body=form).written()
        many = b"&".join(b"%d=1" % number for number in range(2000))
        yield "2,000 fields", replace(place.sent, body=many).written()
        yield "a field of bytes", replace(place.sent, body=b"a=%ff%00&%=%&=&&" + b"\xff" * 50).written()
        return
    for name, make in _part(TEXT_FAULTS, share, turn):
        yield f"body: {name}", replace(place.sent, body=make(text)).written()
    chunked = place.sent.with_headers(Transfer_Encoding=b"chunked")
    for name, body in {
        "a chunk without an end": b'5\r\n{"a":',
        "a size that is none": b"zz\r\n{}\r\n0\r\n\r\n",
        "a size of 2**70": b"400000000000000000\r\n{}\r\n",
        "a negative size": b"-1\r\n{}\r\n0\r\n\r\n",
        "chunks of one byte": b"".join(b"1\r\n%c\r\n" % sign for sign in text) + b"0\r\n\r\n",
        "3,000 chunks too many": b"10\r\n                \r\n" * 3000 + b"0\r\n\r\n",
    }.items():
        yield f"chunks: {name}", replace(chunked, body=body).written()
    for place_of, pointer in enumerate(_members(document)):
        for strange, value in _part(STRANGE_VALUES, 2 * share + 1, place_of):
            body = json.dumps(_changed(document, pointer, value)).encode()
            yield f"member {'/'.join(map(str, pointer))}: {strange}", replace(place.sent, body=body).written()


def _members(document: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the way to every member, two levels deep and into the first element of a list."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(document, dict):
        items = list(document.items())
    elif isinstance(document, list) and document:
        items = [(0, document[0])]
    for name, value in items:
        yield (*before, name)
        if len(before) < 3:
            yield from _members(value, (*before, name))


def _changed(document: Any, pointer: tuple[str | int, ...], value: Any) -> Any:
    if not pointer:
        return value
    copied: Any = dict(document) if isinstance(document, dict) else list(document)
    copied[pointer[0]] = _changed(document[pointer[0]], pointer[1:], value)
    return copied


def event(path: str = "/", **members: Any) -> dict[str, Any]:
    """Write a pageview of the site."""
    return {"id": str(uuid4()), "name": "pageview", "url": f"{ORIGIN}{path}", "age_ms": 0, **members}
