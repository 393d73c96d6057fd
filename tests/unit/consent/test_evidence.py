"""The evidence of a grant: what fits is not marked, what does not is, and nothing is refused for it."""

import hashlib
from typing import Any

import pytest

from consent_service.consent.decision import DecisionRequest
from consent_service.consent.evidence import Mark, first_layer_words, marks
from tests.unit.consent.test_banner import config

SHOWN = config()
FAIR = {"refuse_visible": True, "area_ratio": 1.0, "trusted": True}


def digest(*notes: str) -> str:
    return hashlib.sha256(first_layer_words(SHOWN, *notes).encode()).hexdigest()


def request(evidence: dict[str, Any] | None = None, **changes: Any) -> DecisionRequest:
    return DecisionRequest.model_validate(
        {
            "site": "k",
            "action": "accept_all",
            "purposes": {"analytics": True},
            "policy_version": 3,
            "mechanism": "banner",
            "layer": 1,
            "rendered_hash": digest(),
            "evidence": FAIR if evidence is None else {**FAIR, **evidence},
            **changes,
        }
    )


def test_the_words_are_those_on_the_page_line_by_line() -> None:
    texts = SHOWN["texts"]
    body = texts["body"].replace("{policy}", texts["policy"])
    assert first_layer_words(SHOWN).split("\n") == [texts["title"], body, texts["refuse"], texts["accept"]]


def test_a_fair_choice_has_no_mark() -> None:
    assert marks(request(), SHOWN) == []


@pytest.mark.parametrize("key", ["confirm", "failed", "signal"])
def test_what_the_client_says_above_the_sentence_is_known(key: str) -> None:
    note = SHOWN["texts"][key]
    assert marks(request(rendered_hash=digest(note)), SHOWN) == []
    assert marks(request(rendered_hash=digest(note, SHOWN["texts"]["failed"])), SHOWN) == []


@pytest.mark.parametrize(
    ("sent", "mark"),
    [
        (request({"trusted": False}), Mark.UNTRUSTED_CLICK),
        (request({"trusted": None}), Mark.UNTRUSTED_CLICK),
        (request({"refuse_visible": False}), Mark.REFUSE_HIDDEN),
        (request({"area_ratio": 1.4}), Mark.UNEQUAL_BUTTONS),
        (request({"area_ratio": 0.5}), Mark.UNEQUAL_BUTTONS),
        (request({"area_ratio": None}), Mark.UNEQUAL_BUTTONS),
        (request(rendered_hash="0" * 64), Mark.OTHER_WORDS),
        (request().model_copy(update={"evidence": None}), Mark.NO_EVIDENCE),
    ],
)
def test_what_does_not_fit_is_marked(sent: DecisionRequest, mark: Mark) -> None:
    assert marks(sent, SHOWN) == [mark]


def test_a_refusal_and_other_ways_to_decide_have_no_mark() -> None:
    refused = request({"trusted": False}, action="refuse_all", purposes={"analytics": False})
    assert marks(refused, SHOWN) == []
    for mechanism in ("api", "no_js"):
        assert marks(request({"trusted": False}, mechanism=mechanism), SHOWN) == []


def test_a_banner_that_is_no_longer_shown_is_not_compared() -> None:
    assert marks(request(rendered_hash="0" * 64), None) == []
