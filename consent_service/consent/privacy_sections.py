"""Say in sections what the law asks a privacy policy to say (GDPR art. 13), from the fields of a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date

from consent_service.consent.banner import banner_texts, kept_days
from consent_service.consent.policy_model import Audience, Cookie, Policy, Purpose, Recipient
from consent_service.consent.spoken import locale_of, say_days
from consent_service.consent.texts import words
from consent_service.fields import EEA
from consent_service.sites.settings import Gpc, SiteSettings

Block = dict[str, Any]
Section = dict[str, Any]

_RIGHTS = ("access", "rectification", "erasure", "restriction", "portability", "objection", "withdrawal")


@dataclass(frozen=True, slots=True)
class Matter:
    """Hold what a page is about; `language` is one of the policy's."""

    settings: SiteSettings
    policy: Policy
    version: int
    published_at: datetime
    language: str

    @property
    def labels(self) -> Mapping[str, str]:
        """Give the built-in words of the page."""
        return words(self.language, "privacy")

    @property
    def locale(self) -> Locale:
        """Give the locale in which numbers, dates and countries are written."""
        return locale_of(self.language)

    @property
    def site_url(self) -> str:
        """Give the address of the site's first page: of the domain's own origin where there is one."""
        own = [origin for origin in self.settings.origins if urlsplit(origin).hostname == self.settings.domain]
        return f"{[*own, *self.settings.origins, f'https://{self.settings.domain}'][0]}/"

    def say(self, key: str, **values: object) -> str:
        """Give a built-in sentence with its values."""
        return self.labels[key].format(**values)

    def days(self, count: int) -> str:
        """Write a number of days."""
        return say_days(count, self.language)

    def country(self, code: str) -> str:
        """Write a country's name."""
        return str(self.locale.territories.get(code, code))

    def date(self) -> str:
        """Write the day of publication."""
        return format_date(self.published_at.date(), format="long", locale=self.locale)


def sections(matter: Matter) -> list[Section]:
    """Give every section of the page in order; `addition` is not among them."""
    made = [
        ("controller", _controller(matter)),
        ("joint_controllers", _joint_controllers(matter)),
        ("purposes", _purposes(matter)),
        ("recipients", _recipients(matter)),
        ("retention", _retention(matter)),
        ("choice", _choice(matter)),
        ("rights", _rights(matter)),
        ("complaint", _complaint(matter)),
        ("cookies", _cookies(matter)),
        ("sale", _sale(matter)),
        ("signal", _signal(matter)),
        ("coverage", _coverage(matter)),
        ("version", _version(matter)),
    ]
    listed = [(key, list(blocks)) for key, blocks in made]
    return [section(matter, key, blocks) for key, blocks in listed if blocks]


def section(matter: Matter, key: str, blocks: Sequence[Block]) -> Section:
    """Give one section with its heading."""
    return {"id": key, "heading": matter.labels[key], "blocks": list(blocks)}


def _paragraph(text: str) -> Block:
    return {"kind": "paragraph", "text": text}


def _fact(term: str, *texts: str, url: str | None = None) -> dict[str, Any]:
    return {"term": term, "texts": list(texts), "url": url}


def _facts(*facts: dict[str, Any]) -> Block:
    """Give a list of terms; those with nothing to say are left out."""
    return {"kind": "facts", "facts": [fact for fact in facts if any(fact["texts"])]}


def _mail(term: str, address: str) -> dict[str, Any]:
    return _fact(term, address, url=f"mailto:{address}")


def _controller(matter: Matter) -> Iterator[Block]:
    controller, labels = matter.policy.controller, matter.labels
    yield _facts(
        _fact(labels["name"], controller.name),
        _fact(labels["address"], controller.address),
        _fact(labels["country"], matter.country(controller.country)),
        _mail(labels["email"], controller.email),
        _fact(labels["phone"], controller.phone),
        _mail(labels["dpo"], controller.dpo_email),
        _fact(labels["representative"], controller.representative),
    )


def _joint_controllers(matter: Matter) -> Iterator[Block]:
    labels = matter.labels
    if matter.policy.joint_controllers:
        yield _paragraph(matter.say("joint_controllers_intro", controller=matter.policy.controller.name))
    for joint in matter.policy.joint_controllers:
        yield {"kind": "heading", "text": joint.name}
        yield _facts(
            _fact(labels["address"], joint.address),
            _fact(labels["country"], matter.country(joint.country)),
            _mail(labels["email"], joint.email),
            _fact(labels["arrangement"], joint.arrangement),
        )


def _purposes(matter: Matter) -> Iterator[Block]:
    if matter.policy.audience is Audience.CHILDREN:
        yield _paragraph(matter.labels["children"])
    yield _paragraph(matter.labels["purposes_intro" if matter.policy.purposes else "purposes_none"])
    for purpose in matter.policy.purposes:
        yield {"kind": "heading", "text": purpose.title[matter.language]}
        yield _paragraph(purpose.description[matter.language])
        yield _purpose_facts(matter, purpose)


def _purpose_facts(matter: Matter, purpose: Purpose) -> Block:
    labels, collected = matter.labels, words(matter.language, "data")
    recipients = [recipient.name for recipient in matter.policy.recipients_of(purpose)]
    return _facts(
        _fact(labels["legal_basis"], labels["consent"]),
        _fact(labels["data"], *(collected[group] for group in purpose.data)),
        _fact(labels["recipients"], *(recipients or [labels["recipients_none"]])),
        _fact(labels["retention"], matter.days(kept_days(purpose, matter.settings))),
    )


def _recipients(matter: Matter) -> Iterator[Block]:
    if not matter.policy.recipients:
        yield _paragraph(matter.labels["recipients_none"])
    for recipient in matter.policy.recipients:
        yield {"kind": "heading", "text": recipient.name}
        yield _recipient_facts(matter, recipient)


def _recipient_facts(matter: Matter, recipient: Recipient) -> Block:
    labels = matter.labels
    stays = recipient.country in EEA and not recipient.transfer
    return _facts(
        _fact(labels["role"], labels[f"role_{recipient.role}"]),
        _fact(labels["address"], recipient.address),
        _fact(labels["country"], matter.country(recipient.country)),
        _fact(labels["transfer"], labels["transfer_none"] if stays else recipient.transfer),
        _fact(labels["recipient_policy"], recipient.policy_url, url=recipient.policy_url),
    )


def _retention(matter: Matter) -> Iterator[Block]:
    items = [
        matter.say(
            "retention_events",
            purpose=purpose.title[matter.language],
            days=matter.days(kept_days(purpose, matter.settings)),
        )
        for purpose in matter.policy.purposes
    ]
    if items:
        items.append(matter.say("retention_records", days=matter.days(matter.policy.record_retention_days)))
        items.append(matter.labels["retention_refusal"])
        yield {"kind": "list", "items": items}


def _choice(matter: Matter) -> Iterator[Block]:
    policy = matter.policy
    if not policy.purposes:
        return
    label = banner_texts(policy, matter.language)["open"]
    yield _paragraph(matter.say("choice_valid", days=matter.days(policy.valid_days)))
    yield _paragraph(matter.say("choice_refusal", days=matter.days(policy.refusal_days)))
    yield _paragraph(matter.say("choice_withdraw", open=label))
    yield {
        "kind": "open",
        "label": matter.labels["choice_open"],
        "site_label": matter.say("choice_site", domain=matter.settings.domain),
        "url": matter.site_url,
    }


def _rights(matter: Matter) -> Iterator[Block]:
    controller = matter.policy.controller
    yield _paragraph(matter.say("rights_intro", email=controller.dpo_email or controller.email))
    yield {"kind": "list", "items": [matter.labels[f"right_{right}"] for right in _RIGHTS]}


def _complaint(matter: Matter) -> Iterator[Block]:
    yield _paragraph(matter.say("complaint_text", authority=matter.policy.controller.authority))


def _cookies(matter: Matter) -> Iterator[Block]:
    labels, language = matter.labels, matter.language
    rows = [
        _cookie_row(matter, cookie, f"{exempt.title[language]} ({labels['cookie_exempt']})")
        for exempt in matter.policy.exempt
        for cookie in exempt.cookies
    ]
    rows += [
        _cookie_row(matter, cookie, f"{purpose.title[language]} ({labels['cookie_consent']})")
        for purpose in matter.policy.purposes
        for cookie in purpose.cookies
    ]
    yield _paragraph(labels["cookies_intro" if rows else "cookies_none"])
    names = ("name", "kind", "host", "life", "purpose", "description")
    if rows:
        yield {"kind": "table", "columns": [labels[f"cookie_{name}"] for name in names], "rows": rows}


def _cookie_row(matter: Matter, cookie: Cookie, purpose: str) -> list[str]:
    labels = matter.labels
    return [
        cookie.name,
        labels[f"cookie_kind_{cookie.kind}"],
        labels["cookie_first_party"] if cookie.host == "first-party" else cookie.host,
        matter.days(cookie.days) if cookie.days else labels["cookie_session"],
        purpose,
        cookie.description[matter.language],
    ]


def _sale(matter: Matter) -> Iterator[Block]:
    sold = [purpose.title[matter.language] for purpose in matter.policy.purposes if purpose.sale_or_share]
    yield _paragraph(matter.say("sale_yes", purposes=", ".join(sold)) if sold else matter.labels["sale_no"])


def _signal(matter: Matter) -> Iterator[Block]:
    gpc = matter.settings.signals.gpc
    if matter.policy.purposes and gpc is not Gpc.IGNORE:
        yield _paragraph(matter.labels[f"signal_{gpc}"])


def _coverage(matter: Matter) -> Iterator[Block]:
    if matter.settings.coverage_counts:
        yield _paragraph(matter.labels["coverage_text"])


def _version(matter: Matter) -> Iterator[Block]:
    country, dash, part = matter.policy.jurisdiction.partition("-")
    yield _paragraph(matter.say("version_text", version=matter.version, date=matter.date()))
    yield _paragraph(matter.say("jurisdiction", jurisdiction=matter.country(country) + dash + part))
