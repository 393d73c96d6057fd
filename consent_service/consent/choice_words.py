"""Say in the reader's language what a visitor has decided and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from consent_service.consent.banner import resolve_language
from consent_service.consent.choice import Choice, Standing
from consent_service.consent.privacy_sections import Matter
from consent_service.consent.publication import Publication
from consent_service.consent.reasking import asked_of
from consent_service.consent.texts import words
from consent_service.sites.reporting import local_date

# One group of a banner config's `asked_again`.
Asked = Mapping[str, Any]


def matter_of(publication: Publication, language: str) -> Matter:
    """Give what the site's pages are about at present, in one of its languages."""
    current = publication.current
    return Matter(publication.site.settings, current.policy, current.version, current.published_at, language)


def asked_of_choice(choice: Choice | None, publication: Publication, language: str, today: date) -> Asked | None:
    """Give what a visitor's choice is asked again, and the difference in words; None when it stands or has run out."""
    if choice is None or (choice.expires_on is not None and choice.expires_on < today):
        return None
    return asked_of(publication.banner(language), choice.policy_version, is_grant=bool(choice.purposes))


def say_choice(choice: Choice, publication: Publication, language: str) -> list[str]:
    """Give the sentences that say what was decided, the newest state first."""
    matter, my = matter_of(publication, language), words(language, "my")
    day = _day(matter, choice.decided_on)
    match choice.standing:
        case Standing.GRANTED:
            said = my["granted"].format(date=day, purposes=", ".join(_titles(choice, publication, language)))
        case Standing.REFUSED:
            said = say_refusal(choice.decided_on, publication, language)
        case Standing.WITHDRAWN:
            said = my["withdrawn"].format(date=day)
    return [said, *_say_rest(choice, publication, matter, my)]


def say_refusal(day: date, publication: Publication, language: str) -> str:
    """Say that everything was refused on a day."""
    return words(language, "my")["refused"].format(date=_day(matter_of(publication, language), day))


def say_facts(choice: Choice, publication: Publication, language: str) -> list[str]:
    """Say until when a choice holds, under which policy version and with which receipt."""
    matter, my = matter_of(publication, language), words(language, "my")
    facts = [] if choice.expires_on is None else [my["expires"].format(date=_day(matter, choice.expires_on))]
    facts.append(my["version"].format(version=choice.policy_version))
    if choice.receipt_id is not None:
        facts.append(my["receipt"].format(receipt=choice.receipt_id))
    return facts


def _say_rest(choice: Choice, publication: Publication, matter: Matter, my: Mapping[str, str]) -> Iterator[str]:
    erasure = choice.erasure
    if choice.is_suspended:
        yield my["suspended"]
    if choice.is_on_hold:
        yield my["hold"]
    elif erasure is not None and erasure.status == "done":
        yield my["erasure_done"].format(count=format_decimal(erasure.events or 0, locale=matter.locale))
    elif erasure is not None:
        yield my["erasure_pending"].format(date=_day(matter, local_date(publication.site, erasure.due_at)))


def _titles(choice: Choice, publication: Publication, language: str) -> Iterator[str]:
    """Give the titles of the granted purposes, as their own policy version calls them."""
    policy = publication.versions.get(choice.policy_version, publication.current).policy
    spoken = resolve_language(policy, language)
    for purpose_id in choice.purposes:
        purpose = policy.purpose(purpose_id)
        yield purpose_id if purpose is None else purpose.title[spoken]


def _day(matter: Matter, day: date) -> str:
    return format_date(day, format="long", locale=matter.locale)
