"""Say who has to be asked again for what, and show them what they agreed to then beside what is new now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent_service.consent.policy_model import Policy, Purpose, Recipient
from consent_service.consent.spoken import say_days
from consent_service.consent.successor import asks_refusers, joint_parties, whole_recipients
from consent_service.consent.texts import words

# What a banner config carries at most: who decided on an older version still is asked for everything.
MOST_GROUPS: Final = 12

Policies = Mapping[int, Policy]
Days = Callable[[Purpose], int]


@dataclass(frozen=True, slots=True)
class Outgrown:
    """Hold for each present purpose the oldest versions whose grants of it, and whose refusals of it, still stand."""

    grants: Mapping[str, int]
    refusals: Mapping[str, int]

    @property
    def material_version(self) -> int:
        """Give the version before which some grant is asked again."""
        return max(self.grants.values(), default=1)

    @property
    def refusal_material_version(self) -> int:
        """Give the version before which some refusal is asked again."""
        return max(self.refusals.values(), default=1)


def outgrown(policies: Policies) -> Outgrown:
    """Read out of all versions since when each purpose of the newest one is what it is."""
    numbers = sorted(policies)
    grants = {purpose.id: 1 for purpose in policies[numbers[-1]].purposes}
    refusals = dict(grants)
    for before, after in zip(numbers, numbers[1:], strict=False):
        policy = policies[after]
        grants |= {name: after for name in policy.material_purposes if name in grants}
        refusals |= {name: after for name in asks_refusers(policies[before], policy) if name in refusals}
    return Outgrown(grants, refusals)


def asked_again(policies: Policies, found: Outgrown, language: str, days: Days) -> dict[str, Any] | None:
    """Give the `asked_again` of a banner config: for choices of each older version what is asked, why, and what is new.

    `granted` and `refused` list groups, the newest first; a choice belongs to the first whose `version` is not above
    its own. None where no version was material. `days` gives how long a purpose's data are kept.
    """
    current = policies[max(policies)]
    newest = policies.get(found.material_version)
    if newest is None or not newest.material_purposes:
        return None
    teller = _Teller(policies, current, language, days)
    return {
        "reason": _spoken(newest.material_reason, language),
        "purposes": [name for name in newest.material_purposes if current.purpose(name)],
        "granted": teller.groups(found.grants),
        "refused": teller.groups(found.refusals),
    }


def asked_of(config: Mapping[str, Any], version: int, *, is_grant: bool) -> Mapping[str, Any] | None:
    """Find in a banner config what is asked of a choice made on a version; None when nothing is, or everything."""
    again = config["asked_again"]
    if again is None or version >= config["material_version" if is_grant else "refusal_material_version"]:
        return None
    groups: Sequence[Mapping[str, Any]] = again["granted" if is_grant else "refused"]
    return next((group for group in groups if group["version"] <= version), None)


def difference_words(group: Mapping[str, Any]) -> list[str]:
    """Give what a group is told, line by line, as the first layer shows it above its sentence."""
    told = [line for change in group["changes"] for line in (change["title"], *change["lines"])]
    return [group["reason"], *told]


@dataclass(frozen=True, slots=True)
class _Teller:
    policies: Policies
    current: Policy
    language: str
    days: Days

    def groups(self, since: Mapping[str, int]) -> list[dict[str, Any]]:
        """Give the groups of older versions from which the same is asked, the newest first."""
        found: list[dict[str, Any]] = []
        newest = max(since.values(), default=1)
        for version in sorted((number for number in self.policies if number < newest), reverse=True):
            asked = [name for name, number in since.items() if version < number]
            group = {"version": version, **self._group(version, asked)}
            if found and {**found[-1], "version": version} == group:
                found[-1] = group
            elif len(found) == MOST_GROUPS:
                break
            else:
                found.append(group)
        return found

    def _group(self, version: int, asked: Sequence[str]) -> dict[str, Any]:
        later = [policy for number, policy in sorted(self.policies.items(), reverse=True) if number > version]
        told = (policy for policy in later if not set(asked).isdisjoint(policy.material_purposes))
        reasons = dict.fromkeys(_spoken(policy.material_reason, self.language) for policy in told)
        return {
            "purposes": list(asked),
            "reason": " ".join(reasons),
            "titles": [purpose.title[self.language] for purpose in self.current.purposes if purpose.id in asked],
            "changes": list(self._changes(self.policies[version], asked)),
        }

    def _changes(self, before: Policy, asked: Sequence[str]) -> Iterator[dict[str, Any]]:
        for purpose in self.current.purposes:
            if purpose.id not in asked:
                continue
            old = before.purpose(purpose.id)
            lines = list(self._new(purpose) if old is None else self._changed(before, old, purpose))
            if lines:
                yield {"id": purpose.id, "title": self._title(purpose, is_new=old is None), "lines": lines}
        yield from self._whole("recipients", whole_recipients(before, self.current), "preferences")
        yield from self._whole("joint_controllers", joint_parties(before, self.current), "privacy")

    def _title(self, purpose: Purpose, *, is_new: bool) -> str:
        title = purpose.title[self.language]
        return f"{title} · {words(self.language, 'my')['new']}" if is_new else title

    def _whole(self, key: str, names: Sequence[str], part: Any) -> Iterator[dict[str, Any]]:
        if names:
            yield {"id": "", "title": words(self.language, part)[key], "lines": list(names)}

    def _new(self, purpose: Purpose) -> Iterator[str]:
        yield purpose.description[self.language]
        for label, value in self._facts(self.current, purpose, self.language):
            if value:
                yield f"{label}: {value}"

    def _changed(self, before: Policy, old: Purpose, purpose: Purpose) -> Iterator[str]:
        my = words(self.language, "my")
        # An older policy may not have had this language; its facts can be said in it, its sentences cannot.
        spoken = self.language if self.language in before.languages else before.default_language
        then = [("", old.description[spoken]), *self._facts(before, old, spoken)]
        now = [("", purpose.description[self.language]), *self._facts(self.current, purpose, self.language)]
        for (_, earlier), (label, later) in zip(then, now, strict=True):
            if earlier != later and (label or spoken == self.language):
                head = f"{label}. " if label else ""
                yield f"{head}{my['before']}: {earlier or '–'} → {my['now']}: {later or '–'}"
        if purpose.sale_or_share and not old.sale_or_share:
            yield words(self.language, "privacy")["sale_yes"].format(purposes=purpose.title[self.language])

    def _facts(self, policy: Policy, purpose: Purpose, spoken: str) -> Iterator[tuple[str, str]]:
        said, data = words(self.language, "preferences"), words(self.language, "data")
        role = words(self.language, "privacy")
        yield said["data"], _joined(data[group] for group in purpose.data)
        yield said["recipients"], _joined(_recipient(each, role) for each in policy.recipients_of(purpose))
        yield said["retention"].partition("{days}")[0].rstrip(" :："), say_days(self.days(purpose), self.language)
        yield (
            said["details"],
            _joined(
                f"{cookie.name} ({say_days(cookie.days, self.language) if cookie.days else said['session']})"
                for cookie in purpose.cookies
            ),
        )


def _recipient(recipient: Recipient, role: Mapping[str, str]) -> str:
    return f"{recipient.name} ({recipient.country}, {role[f'role_{recipient.role}']})"


def _joined(values: Iterable[str]) -> str:
    # Each value may have commas of its own.
    return "; ".join(values)


def _spoken(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")
