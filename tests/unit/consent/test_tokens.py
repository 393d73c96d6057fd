"""A token opens only when it is ours, unaltered and not too old."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.consent.tokens import (
    BadToken,
    ExpiredToken,
    Token,
    TokenError,
    TokenSigner,
    cut_to_day,
    purpose_bits,
)

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
KEYS = ["n" * 40, "o" * 40]
SIGNER = TokenSigner(KEYS)
GRANT = Token("abcdefghjkmn", "0123456789abcdef" * 2, 5, 12, False, NOW)


def test_what_was_signed_is_opened() -> None:
    assert SIGNER.open(SIGNER.sign(GRANT), NOW) == GRANT


def test_a_token_has_at_most_160_characters() -> None:
    assert len(SIGNER.sign(GRANT)) <= 160


def test_two_refusals_of_one_day_are_the_same_bytes() -> None:
    refusals = {
        SIGNER.sign(Token("abcdefghjkmn", None, 0, 3, False, cut_to_day(NOW + timedelta(hours=hours))))
        for hours in (0, 5, 11)
    }
    assert len(refusals) == 1


def test_a_replaced_key_still_verifies_and_a_dropped_one_does_not() -> None:
    old = TokenSigner([KEYS[1]]).sign(GRANT)
    assert SIGNER.open(old, NOW) == GRANT
    with pytest.raises(BadToken):
        TokenSigner([KEYS[0]]).open(old, NOW)


def test_a_token_stamped_a_moment_ahead_is_taken_and_one_of_tomorrow_is_not() -> None:
    text = SIGNER.sign(GRANT)
    assert SIGNER.open(text, NOW - timedelta(seconds=119)) == GRANT
    with pytest.raises(BadToken):
        SIGNER.open(text, NOW - timedelta(seconds=121))


def test_a_token_older_than_395_days_says_what_it_was() -> None:
    with pytest.raises(ExpiredToken) as expired:
        SIGNER.open(SIGNER.sign(GRANT), NOW + timedelta(days=396))
    assert expired.value.token == GRANT


@pytest.mark.parametrize("text", ["", "x", "\ud800", "é" * 30, "a.b.c", "a" * 100_000, "W10.awTTgA.x"])
def test_what_is_not_a_token_is_refused_without_a_crash(text: str) -> None:
    with pytest.raises(BadToken):
        SIGNER.open(text, NOW)


@given(st.text(max_size=600))
def test_no_text_whatever_crashes_the_signer(text: str) -> None:
    with pytest.raises(TokenError):
        SIGNER.open(text, NOW)


def test_every_altered_token_is_refused_or_says_the_same() -> None:
    text, alphabet = SIGNER.sign(GRANT), "ABCabc012-_."
    chance = random.Random(5)
    for place in range(len(text)):
        altered = text[:place] + chance.choice(alphabet.replace(text[place], "")) + text[place + 1 :]
        try:
            # The last character of Base64 has bits that mean nothing; the token is keyed on its receipt.
            assert SIGNER.open(altered, NOW) == GRANT
            assert place in (len(text) - 1, text.index(".") - 1)
        except BadToken:
            continue


def test_bits_follow_the_order_of_the_policy() -> None:
    assert purpose_bits(["a", "b", "c"], ["c", "a"]) == 0b101
    assert purpose_bits(["a"], []) == 0
