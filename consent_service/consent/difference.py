"""Tell what differs between two policies, key by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from consent_service.consent.policy_model import Policy

_ABSENT: Final = object()


class ChangeKind(StrEnum):
    """Say what happened to a key."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


_SIGNS: Final = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one difference; `path` names list members by their id, as in `purposes.analytics.data`."""

    path: str
    kind: ChangeKind
    before: object
    after: object

    def __str__(self) -> str:
        shown = {
            ChangeKind.ADDED: _shown(self.after),
            ChangeKind.REMOVED: _shown(self.before),
            ChangeKind.CHANGED: f"{_shown(self.before)} → {_shown(self.after)}",
        }
        return f"{_SIGNS[self.kind]} {self.path}: {shown[self.kind]}"

    def document(self) -> dict[str, object]:
        """Give the change as JSON-able members."""
        return {"path": self.path, "kind": str(self.kind), "before": self.before, "after": self.after}


def difference(before: Policy, after: Policy) -> list[Change]:
    """List every difference between two policies, in the order of the file."""
    return list(_differ("", before.document(), after.document()))


def describe(changes: Iterable[Change]) -> str:
    """Write changes for people, one line each: `+` added, `-` removed, `~` changed."""
    return "\n".join(str(change) for change in changes)


def _differ(path: str, before: Any, after: Any) -> Iterator[Change]:
    old, new = _members(before), _members(after)
    if old is not None and new is not None or old is not None and after is _ABSENT:
        yield from _differ_members(path, old or {}, new or {})
    elif new is not None and before is _ABSENT:
        yield from _differ_members(path, {}, new)
    elif before is _ABSENT:
        yield Change(path, ChangeKind.ADDED, None, after)
    elif after is _ABSENT:
        yield Change(path, ChangeKind.REMOVED, before, None)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _differ_lists(path, before, after)
    elif before != after:
        yield Change(path, ChangeKind.CHANGED, before, after)


def _differ_members(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys([*before, *after]):
        inner = f"{path}.{key}" if path else key
        yield from _differ(inner, before.get(key, _ABSENT), after.get(key, _ABSENT))


def _differ_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[Change]:
    gone = [value for value in before if value not in after]
    come = [value for value in after if value not in before]
    yield from (Change(path, ChangeKind.REMOVED, value, None) for value in gone)
    yield from (Change(path, ChangeKind.ADDED, None, value) for value in come)
    if not gone and not come and before != after:
        yield Change(path, ChangeKind.CHANGED, before, after)


def _members(value: Any) -> Mapping[str, Any] | None:
    """See a table, or a list of tables, as named members; None for anything else."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {_name(item): item for item in value}
    return None


def _name(item: Mapping[str, Any]) -> str:
    if "id" in item:
        return str(item["id"])
    return f"{item['name']} ({item['kind']}, {item['host']})" if "kind" in item else str(item["name"])


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
