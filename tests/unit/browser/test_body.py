"""A body is read strictly: what readers of JSON disagree on is refused, and what only looks like it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.browser.body import read_json
from consent_service.errors import MalformedJSON


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a" :1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'[{"x":{"a":1,"b":2,"a":3}}]',
        b'{"a" :1,"a":"\\":"}',
        b'{"a"\n\t:1,"a"\r:"\\":\\":\\":"}',
        b'{"a":' + b"[" * 900 + b"]" * 900 + b',"a":1}',
    ],
)
def test_two_members_of_one_name_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedJSON, match="two members"):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
        b'{"a" : "\\":", "b"\t:"x\\" :y"}',
        b'{"url":"\\":\\":\\":","x":"}:\\""}',
        b'{"a":"1","A":"2","\\u0041 ":3}',
    ],
)
def test_what_only_looks_like_it_is_read(body: bytes) -> None:
    assert read_json(body) == json.loads(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(alphabet='":, \\ab'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='":, \\ab'), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), ("\n,", "\t:")]))
def test_every_document_without_such_members_is_read_as_it_was_written(
    document: Any, separators: tuple[str, str]
) -> None:
    assert read_json(json.dumps(document, separators=separators).encode()) == document
