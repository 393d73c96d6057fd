"""A stamp is kept when it holds, kept with a word when it cannot be read here, and refused when it is proven wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consent_service.anchor_settings import Authority
from consent_service.ledger.post import NotDelivered
from consent_service.ledger.timestamp import MAX_REPLY, request_stamp
from tests.integration.ledger.outside import Asked, OpenSslAuthority, OutsideServer, answering, make_authority, stamping

NOTE = "consent-service/0123456789abcdef\n12\nAAAA\n\n— consent-service/0123456789abcdef AAAA\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpenSslAuthority:
    """Give an authority of OpenSSL."""
    return make_authority(tmp_path_factory.mktemp("authority") / "stamps")


@pytest.fixture
def server(authority: OpenSslAuthority) -> Iterator[OutsideServer]:
    """Run its server."""
    with stamping(authority) as made:
        yield made


def trusted(server: OutsideServer, authority: OpenSslAuthority) -> Authority:
    return Authority(f"{server.url}/tsr?who=us", authority.root.read_bytes())


def test_a_stamp_over_a_note_holds_here_and_by_openssl(server: OutsideServer, authority: OpenSslAuthority) -> None:
    stamp = request_stamp(NOTE, trusted(server, authority))
    assert stamp.problem is None
    assert authority.verifies(stamp.token, NOTE)
    assert not authority.verifies(stamp.token, NOTE.replace("12", "13"))
    [asked] = server.asked
    assert (asked.path, asked.headers["content-type"]) == ("/tsr?who=us", "application/timestamp-query")


def test_the_stamp_of_an_authority_that_is_not_trusted_is_refused(
    server: OutsideServer, authority: OpenSslAuthority, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other")
    with pytest.raises(NotDelivered, match="does not hold"):
        request_stamp(NOTE, Authority(server.url, other.root.read_bytes()))


def test_a_stamp_over_something_else_is_refused(server: OutsideServer, authority: OpenSslAuthority) -> None:
    """An old stamp sent again, as by a proxy that keeps answers."""
    old = request_stamp("another note", trusted(server, authority)).token
    with answering(lambda _: (200, {}, old)) as again, pytest.raises(NotDelivered, match="does not hold"):
        request_stamp(NOTE, trusted(again, authority))


def test_a_stamp_of_an_earlier_request_for_the_same_note_is_refused(
    server: OutsideServer, authority: OpenSslAuthority
) -> None:
    old = request_stamp(NOTE, trusted(server, authority)).token
    with answering(lambda _: (200, {}, old)) as again, pytest.raises(NotDelivered, match=r"does not hold: Nonce"):
        request_stamp(NOTE, trusted(again, authority))


def test_a_stamp_with_one_bit_changed_is_refused(server: OutsideServer, authority: OpenSslAuthority) -> None:
    def bend(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        reply = bytearray(authority.reply(asked.body))
        reply[-1] ^= 1
        return 200, {}, bytes(reply)

    with answering(bend) as bent, pytest.raises(NotDelivered, match="does not hold"):
        request_stamp(NOTE, trusted(bent, authority))


def test_a_reply_that_is_not_strict_der_is_kept_for_openssl(tmp_path: Path) -> None:
    loose = make_authority(tmp_path / "loose", sends_chain=True)
    with stamping(loose) as server:
        stamp = request_stamp(NOTE, Authority(server.url, loose.root.read_bytes()))
    assert stamp.problem is not None
    assert "openssl ts -verify" in stamp.problem
    assert loose.verifies(stamp.token, NOTE)


def redirect(asked: Asked) -> tuple[int, dict[str, str], bytes]:
    return 302, {"Location": "http://127.0.0.1:1/"}, b""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: (200, {}, b"<html>Please log in</html>"), "no timestamp of this checkpoint"),
        (lambda _: (200, {}, b""), "no timestamp of this checkpoint"),
        (lambda _: (200, {}, b"\x00" * (MAX_REPLY + 1)), f"larger than {MAX_REPLY} bytes"),
        (lambda _: (200, {"Content-Length": "100"}, b"short"), "ended before its end"),
        (lambda _: (500, {}, b""), "answered 500"),
        (redirect, "redirects are not followed"),
        (lambda _: (200, {}, bytes.fromhex("30133011020102300c0c0a6e6f2c207468616e6b73")), "refused: no, thanks"),
    ],
    ids=["a page", "nothing", "too much", "cut off", "an error", "a redirect", "a refusal"],
)
def test_an_answer_that_is_no_stamp_says_why(
    authority: OpenSslAuthority, answer: Callable[[Asked], tuple[int, dict[str, str], bytes]], reason: str
) -> None:
    with answering(answer) as server, pytest.raises(NotDelivered, match=reason):
        request_stamp(NOTE, trusted(server, authority))


def test_a_server_that_is_not_there_is_told_of(authority: OpenSslAuthority) -> None:
    with answering(redirect) as gone:
        pass
    with pytest.raises(NotDelivered, match="cannot be reached"):
        request_stamp(NOTE, trusted(gone, authority))
