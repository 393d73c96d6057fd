"""E-mail addresses and tokens are masked wherever they stand; names of things are left alone; no text takes long."""

from __future__ import annotations

import base64
import json
import random
import secrets
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.collect.masking import EMAIL, TOKEN, mask, mask_parameter

TOKEN_32 = "a4Bx9Qz1Lm7Tr2Ws8Yk3Vn6Pd0Hc5Jf"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

MASKED = {
    "/u/jean.dupont@example.org": "/u/[email]",
    "/u/jean.dupont%40example.org/edit": "/u/[email]/edit",
    "/u/jean%2540example.org": "/u/[email]",
    "/u/jean%252540example.org": "/u/[email]",
    "mailto:jean+tag@mail.example.co.uk": "mailto:[email]",
    "Jean <jean@example.org>, Marie <marie@exemple.fr>": "Jean <[email]>, Marie <[email]>",
    "o'brien_9@sub-domain.example.museum.": "o'[email]",
    "écrit@société.example": "[email]",
    "/@jean@social.example/123": "/[email]/123",
    "jean＠example.org": "[email]",
    "/reset/5d41402abc4b2a76b9719d911017c592": "/reset/[token]",
    "/commit/2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12": "/commit/[token]",
    "/page-title-5d41402abc4b2a76b9719d911017c592": "/page-title-[token]",
    f"/login/{JWT}": "/login/[token]",
    f"/login;token={TOKEN_32};x": "/login;token=[token];x",
    "/key/AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY": "/key/[token]",
    "/key/xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzzqgy": "/key/xoxb-17653672481-19874698323-[token]",
    "/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms": "/d/[token]",
    "/n/12345678901234567890123456789012": "/n/[token]",
}
KEPT = [
    "",
    "/",
    "/2026/03/01/le-conseil-municipal-vote-le-budget-2026-apres-12-heures-de-debat",
    "/the-very-long-title-of-an-article-about-internationalisation-and-standardisation-2026-03-01",
    "/donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft",
    "/Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "/wiki/InternationalBusinessMachinesCorporation_AnnualReport2025",
    "/isbn/9782070368228",
    "/isbn/978-2-07-036822-8",
    "/doi/10.1038/s41586-020-2649-2",
    "/arxiv/2301.00001v2",
    "/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "/a/3F2504E0-4F89-11D3-9A0C-0305E82C3301/comments",
    "/article/titre-de-l-article-3f2504e0-4f89-11d3-9a0c-0305e82c3301.html",
    "/a/507f1f77bcf86cd799439011",
    "/status/1789012345678901234",
    "/t/1772359200000000000",
    "/20260301T101500Z",
    "/produit/iPhone15ProMax256GBBlack",
    "/produit/Samsung-Galaxy-S24-Ultra-5G-256GB-Titanium-Gray-SM-S928B",
    "/dp/B08N5WRWNW/ref=sr_1_1",
    "/watch-dQw4w9WgXcQ",
    "/img/logo@2x.png",
    "/img/logo@1.5x.webp",
    "/package/@scope/name",
    "/package/lodash@4.17.21",
    "/@jean",
    "@jean",
    "jean@",
    "a @ b.example",
    "/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82-%D0%BC%D0%B8%D1%80-%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82",
    "/东京/ニュース/2026年3月1日",
    "/49.4431,1.0993,13z",
    "spring_sale_2026_newsletter_fr_segment-a_v2",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "/lib/libstdc++.so.6.0.30-x86_64-linux-gnu",
    "/releases/v2026.3.1-rc.2+build.20260301",
]


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_what_may_name_a_person_or_open_a_door_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_names_of_things_are_left_alone(text: str) -> None:
    assert mask(text) == text


def test_a_plus_that_a_query_turned_into_a_space_leaves_nothing_of_the_address() -> None:
    assert mask_parameter("jean tag@example.org") == EMAIL
    assert mask_parameter("two words") == "two words"


def test_tokens_of_every_usual_form_are_masked_and_uuids_never() -> None:
    chance = random.Random(7)
    for _ in range(300):
        number = chance.randbytes(32)
        parts = (json.dumps({"sub": chance.randrange(10**9)}).encode(), number)
        jwt = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', *parts))
        for token in (number[:16].hex(), number.hex(), jwt):
            assert token not in mask(f"/a/{token}/b")
            assert TOKEN in mask(f"/a/{token}/b")
        named = f"/a/{UUID(bytes=number[:16])}"
        assert mask(named) == named
    assert sum(TOKEN not in mask(secrets.token_urlsafe(32)) for _ in range(2000)) <= 20


@given(st.text(max_size=300))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "@",
        "a@",
        "a.@",
        "%",
        "%40",
        "%2540",
        "-",
        "a1",
        "a" * 19 + "-",
        "a.",
        "@a.",
        "é@é.",
        "[",
        "=",
        "A1b-",
        "40%",
    ],
)
def test_no_text_takes_long(part: str) -> None:
    def seconds(length: int) -> float:
        text = (part * length)[:length]
        taken = []
        for _ in range(3):
            started = time.thread_time()
            mask(text)
            taken.append(time.thread_time() - started)
        return min(taken)

    # Four times the text, four times the time: with a power of the length it would be sixteen times and more.
    assert seconds(32_000) < 8 * seconds(8_000) + 0.002
