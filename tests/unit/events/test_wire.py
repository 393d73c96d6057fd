"""Values come out of the wire as they went in."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.events.wire import WireError, decode, encode

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.uuids()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.datetimes()
    | st.decimals(allow_nan=False)
)
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
)


@given(TREES)
def test_every_value_comes_back_equal_and_of_its_type(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


def test_a_time_of_another_zone_comes_back_as_utc() -> None:
    local = datetime(2026, 3, 10, 13, tzinfo=timezone(timedelta(hours=1)))
    back = decode(encode(local))
    assert back == local
    assert back.utcoffset() == timedelta(0)


def test_a_tuple_comes_back_as_a_list_and_nothing_else_is_lost() -> None:
    row = (1, "x", date(2026, 3, 10), Decimal("1.50"), uuid4(), math.inf, b"\0")
    assert decode(encode([row])) == [list(row)]


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(WireError):
        encode(object())
    with pytest.raises(WireError):
        encode("\ud800")


@given(
    st.binary(max_size=60)
    | st.sampled_from([b'{"z":1}', b'{"u":1}', b'{"m":1}', b"{}", b'{"t":"x","d":"y"}', b"[" * 5000])
)
def test_other_bytes_are_refused_in_one_way(data: bytes) -> None:
    try:
        decode(data)
    except WireError:
        pass
