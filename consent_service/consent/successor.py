"""Judge what a new policy version changes for those who decided on the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from consent_service.consent.policy_model import Cookie, Policy, Purpose, Recipient
from consent_service.problems import Problem


@dataclass(frozen=True, slots=True)
class MaterialChange:
    """Say who is asked again: who granted when `is_material`, who refused when `reasks_refusals`."""

    is_material: bool
    purposes: tuple[str, ...]
    reasks_refusals: bool


@dataclass(frozen=True, slots=True)
class Widening:
    """Say in what one purpose now reaches further; empty members are unchanged."""

    purpose_id: str
    is_new: bool = False
    data: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    retention_days: int | None = None
    cookies: tuple[str, ...] = ()
    is_sold: bool = False
    measures: bool = False

    def __bool__(self) -> bool:
        stored = self.data or self.retention_days or self.cookies
        return bool(self.is_new or self.recipients or stored or self.is_sold or self.measures)

    def __str__(self) -> str:
        if self.is_new:
            return "is new"
        parts = [f"adds data ({', '.join(self.data)})"] if self.data else []
        parts += [f"adds recipients ({', '.join(self.recipients)})"] if self.recipients else []
        parts += [f"lengthens retention_days to {self.retention_days}"] if self.retention_days else []
        parts += [f"adds cookies, or keeps them longer ({', '.join(self.cookies)})"] if self.cookies else []
        parts += ["sets sale_or_share"] if self.is_sold else []
        parts += ["sets measures"] if self.measures else []
        return " and ".join(parts)


def check_successor(previous: Policy | None, new: Policy) -> list[Problem]:
    """Refuse what changes nothing, or reaches further without saying so in `material_purposes`."""
    if previous is None:
        return []
    if previous.document() == new.document():
        return [Problem("", None, "nothing changed since the version before")]
    return [*_undeclared(previous, new)]


def material_change(previous: Policy, new: Policy) -> MaterialChange:
    """Say for whom a version changes so much that they are asked again."""
    return MaterialChange(
        is_material=bool(new.material_purposes),
        purposes=new.material_purposes,
        reasks_refusals=bool(asks_refusers(previous, new)),
    )


def asks_refusers(previous: Policy, new: Policy) -> tuple[str, ...]:
    """Give the purposes for which refusers too are asked early: they are new, or somebody new receives data."""
    if _added(previous.recipients, new.recipients) or joint_parties(previous, new):
        # Somebody new behind the whole: the version says itself which purposes that concerns.
        return new.material_purposes
    return tuple(widening.purpose_id for widening in widenings(previous, new) if widening.is_new or widening.recipients)


def whole_recipients(previous: Policy, new: Policy) -> tuple[str, ...]:
    """Give the names of new recipients that no purpose names."""
    named = {name for purpose in new.purposes for name in purpose.recipients}
    return _added(previous.recipients, (each for each in new.recipients if each.id not in named))


def joint_parties(previous: Policy, new: Policy) -> tuple[str, ...]:
    """Give the names of new joint controllers."""
    known = {(party.name, party.country) for party in previous.joint_controllers}
    return tuple(party.name for party in new.joint_controllers if (party.name, party.country) not in known)


def widenings(previous: Policy, new: Policy) -> list[Widening]:
    """List the purposes that reach further than before."""
    return [widening for purpose in new.purposes if (widening := _widening(previous, new, purpose))]


def _widening(previous: Policy, new: Policy, purpose: Purpose) -> Widening:
    before = previous.purpose(purpose.id)
    if before is None:
        return Widening(purpose.id, is_new=True)
    longer = purpose.retention_days > before.retention_days
    return Widening(
        purpose.id,
        data=tuple(str(group) for group in purpose.data if group not in before.data),
        recipients=_added(previous.recipients_of(before), new.recipients_of(purpose)),
        retention_days=purpose.retention_days if longer else None,
        cookies=_longer(before.cookies, purpose.cookies),
        is_sold=purpose.sale_or_share and not before.sale_or_share,
        measures=purpose.measures and not before.measures,
    )


def _added(before: Iterable[Recipient], after: Iterable[Recipient]) -> tuple[str, ...]:
    # An id may stay while somebody else stands behind it, so who it is counts, not what it is called here.
    known = {(recipient.name, recipient.country, recipient.role) for recipient in before}
    return tuple(
        recipient.name for recipient in after if (recipient.name, recipient.country, recipient.role) not in known
    )


def _longer(before: Iterable[Cookie], after: Iterable[Cookie]) -> tuple[str, ...]:
    """Give the names of cookies that were not declared, or not for so long or by this host."""
    known = {(cookie.name, cookie.kind, cookie.host): cookie.days for cookie in before}
    return tuple(
        cookie.name for cookie in after if cookie.days > known.get((cookie.name, cookie.kind, cookie.host), -1)
    )


def _undeclared(previous: Policy, new: Policy) -> Iterator[Problem]:
    for widening in widenings(previous, new):
        if widening.purpose_id not in new.material_purposes:
            yield Problem(
                f"purposes.{widening.purpose_id}",
                None,
                f"{widening}: name {widening.purpose_id} in material_purposes, so that visitors are asked",
            )
    everywhere = (*_added(previous.recipients, new.recipients), *joint_parties(previous, new))
    if everywhere and not new.material_purposes:
        names = ", ".join(everywhere)
        place = "recipients" if _added(previous.recipients, new.recipients) else "joint_controllers"
        yield Problem(place, None, f"adds {names}: name the purposes that this concerns in material_purposes")
    yield from _turned_exempt(previous, new)


def _turned_exempt(previous: Policy, new: Policy) -> Iterator[Problem]:
    """Keep what needed consent from becoming exempt in silence: nobody would be asked for it any more."""
    exempt_before = {_stored(cookie) for exempt in previous.exempt for cookie in exempt.cookies}
    asked_before = {_stored(cookie): purpose.id for purpose in previous.purposes for cookie in purpose.cookies}
    for exempt in new.exempt:
        if previous.purpose(exempt.id) is not None:
            yield Problem(
                f"exempt.{exempt.id}", None, "was a purpose that visitors could refuse; it cannot become exempt"
            )
            continue
        for cookie in exempt.cookies:
            purpose = asked_before.get(_stored(cookie))
            if purpose is None or _stored(cookie) in exempt_before or purpose in new.material_purposes:
                continue
            yield Problem(
                f"exempt.{exempt.id}",
                None,
                f"makes {cookie.name} exempt, which needed consent for {purpose}: "
                f"leave it there, or name {purpose} in material_purposes",
            )


def _stored(cookie: Cookie) -> tuple[str, str]:
    return cookie.name, cookie.kind
