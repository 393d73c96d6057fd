"""What is served to everyone is written and compressed once."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import brotli

from consent_service.consent.shelf import Shelf

BODY = b"function consent() { return 'no'; }\n" * 40


def test_each_encoding_is_the_same_file() -> None:
    asset = Shelf().give("a.js", None, lambda: BODY)
    assert asset.body == brotli.decompress(asset.brotli) == gzip.decompress(asset.gzip) == BODY
    assert len(asset.brotli) < len(asset.gzip) < len(BODY)


def test_many_requests_at_once_have_it_written_once() -> None:
    shelf, source = Shelf(), object()
    together = Barrier(8)
    written: list[bytes] = []

    def write() -> bytes:
        written.append(BODY)
        return BODY

    def ask(_: int) -> int:
        together.wait(timeout=30)
        return id(shelf.give("a.js", source, write))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(written) == 1


def test_a_new_source_is_written_anew_and_compressed_only_when_its_bytes_differ() -> None:
    shelf = Shelf()
    first = shelf.give("a.js", object(), lambda: BODY)
    assert shelf.give("a.js", object(), lambda: bytes(bytearray(BODY))) is first
    other = shelf.give("a.js", object(), lambda: BODY + b"//\n")
    assert other.body == BODY + b"//\n"
    assert other.etag != first.etag


def test_names_do_not_share_what_they_hold() -> None:
    shelf = Shelf()
    assert shelf.give("a.js", None, lambda: BODY) is not shelf.give("b.js", None, lambda: b"1")
    assert shelf.give("b.js", None, lambda: BODY).body == b"1"
