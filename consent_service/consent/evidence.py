"""Look at what a page says of the click that granted: whether the choice was a fair one. Pure.

Nothing is refused for it: what does not fit is marked in the record, for the officer to see and a regulator to weigh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, product
from typing import Any, Final

from consent_service.consent.decision import DecisionRequest
from consent_service.consent.reasking import difference_words

# Two buttons of one style differ by a rounding of pixels at most.
_LEAST_RATIO: Final = 0.95
_MOST_RATIO: Final = 1.05
_SHOWN_BY_CLIENT: Final = frozenset({"banner", "preferences"})
# Sentences the client may say above the words of the first layer, none or up to two of them.
_NOTES: Final = ("signal", "confirm", "failed")


class Mark(StrEnum):
    """Name what does not fit in the evidence of a grant."""

    NO_EVIDENCE = "no_evidence"
    UNTRUSTED_CLICK = "untrusted_click"
    REFUSE_HIDDEN = "refuse_hidden"
    UNEQUAL_BUTTONS = "unequal_buttons"
    OTHER_WORDS = "other_words"


def marks(request: DecisionRequest, shown: Mapping[str, Any] | None) -> list[str]:
    """Give the marks of a grant; a refusal has none, for it is a refusal whoever made it.

    `shown` is the banner config that the request cites, None where only its hash is known any more: then the words
    cannot be compared.
    """
    if request.is_refusal or request.mechanism not in _SHOWN_BY_CLIENT:
        return []
    if request.evidence is None:
        return [Mark.NO_EVIDENCE]
    found = []
    evidence = request.evidence
    if not evidence.trusted:
        found.append(Mark.UNTRUSTED_CLICK)
    if request.layer == 1:
        if not evidence.refuse_visible:
            found.append(Mark.REFUSE_HIDDEN)
        if not _LEAST_RATIO <= (evidence.area_ratio or 0) <= _MOST_RATIO:
            found.append(Mark.UNEQUAL_BUTTONS)
    if shown is not None and not _fits(request, shown):
        found.append(Mark.OTHER_WORDS)
    return [str(mark) for mark in found]


def first_layer_words(shown: Mapping[str, Any], *notes: str, body: str | None = None) -> str:
    """Give the words of the first layer as the client reads them off the page: block by block, one a line."""
    texts = shown["texts"]
    lines = [texts["title"], *notes, (body or texts["body"]).replace("{policy}", texts["policy"], 1)]
    lines += [texts["refuse"], texts["accept"]]
    if len(shown["purposes"]) > 1:
        lines.append(texts["customize"])
    return "\n".join(lines)


def second_layer_words(shown: Mapping[str, Any], *notes: str, changes: Sequence[Mapping[str, Any]] = ()) -> str:
    """Give the words of the preference centre as the client reads them off the page."""
    news = {change["id"]: change["lines"] for change in changes}
    texts = shown["texts"]
    lines = [texts["customize"], *notes, texts["policy"]]
    for purpose in shown["purposes"]:
        lines += [purpose["title"], purpose["description"], *news.get(purpose["id"], ())]
        lines += _particulars(purpose, texts)
    for exempt in shown["exempt"]:
        lines += [exempt["title"] + texts["always"], exempt["description"], *_particulars(exempt, texts)]
    return "\n".join([*lines, texts["refuse"], texts["accept"], texts["save"], texts["back"]])


def _particulars(purpose: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    lists = [
        (texts["data"], purpose.get("collected", [])),
        (texts["recipients"], purpose.get("recipients", [])),
        (texts["details"], [_cookie(cookie) for cookie in purpose["cookies"]]),
    ]
    collected, received, kept_here = ([title, *lines] if lines else [] for title, lines in lists)
    lines = [*collected, *received, *([purpose["kept"]] if "kept" in purpose else []), *kept_here]
    return [texts["details"], *lines] if lines else []


def _cookie(cookie: Mapping[str, Any]) -> str:
    return " · ".join(part for part in (cookie["name"], cookie["life"], cookie["description"]) if part)


_WORDS: Final[Mapping[int, Callable[..., str]]] = {1: first_layer_words, 2: second_layer_words}


def _fits(request: DecisionRequest, shown: Mapping[str, Any]) -> bool:
    """Tell whether the words are those of the layer; a page without a digest of its own, or no layer, says none."""
    words = _WORDS.get(request.layer or 0)
    if words is None or request.rendered_hash is None:
        return True
    rendered = chain((words(shown, *notes) for notes in _said_above(shown)), _renderings(shown, request.layer or 0))
    return any(hashlib.sha256(text.encode()).hexdigest() == request.rendered_hash for text in rendered)


def _renderings(shown: Mapping[str, Any], layer: int) -> Iterator[str]:
    """Give the words of a layer for those who are asked again, for each group of earlier choices."""
    again = shown["asked_again"]
    said = ((), *((shown["texts"][key],) for key in _NOTES))
    for group in () if again is None else (*again["granted"], *again["refused"]):
        for above in said:
            if layer == 1:
                yield first_layer_words(shown, *above, *difference_words(group), body=group["body"])
            else:
                yield second_layer_words(shown, *above, group["reason"], changes=group["changes"])


def _said_above(shown: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    said = [shown["texts"][key] for key in _NOTES]
    if shown["asked_again"] is not None:
        said.append(shown["asked_again"]["reason"])
    for count in range(3):
        yield from product(said, repeat=count)
