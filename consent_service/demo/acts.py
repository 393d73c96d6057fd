"""Word the decisions of a story as the acts that the record takes, as a page's requests would be (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from consent_service.consent.acts import terms_of
from consent_service.consent.decision import Action, Mechanism
from consent_service.consent.publication import Publication
from consent_service.consent.record import Act as RecordedAct
from consent_service.consent.tokens import cut_to_day
from consent_service.demo.story import Act, Decision
from consent_service.sites.reporting import local_date


def make_act(publication: Publication, decision: Decision, prior: Mapping[str, Any] | None) -> RecordedAct:
    """Make the act of a decision under the present policy; `prior` is the receipt that it continues."""
    version, language = publication.current, decision.profile.language
    is_grant = decision.act in (Act.ACCEPT, Act.RENEW)
    is_withdrawal = decision.act is Act.WITHDRAW
    purposes = [purpose.id for purpose in version.policy.purposes]
    notice_hash = publication.banners[language]["banner_hash"]
    refused_until = cut_to_day(decision.at) + timedelta(days=version.policy.refusal_days)
    return RecordedAct(
        site_id=publication.site.site_id,
        site_key=publication.site.key,
        action=_ACTIONS[decision.act],
        purposes=dict.fromkeys(purposes, is_grant),
        policy_version=version.version,
        policy_hash=version.content_hash,
        notice_hash=notice_hash if prior is None or not is_withdrawal else prior["notice_hash"],
        language=language,
        mechanism=Mechanism.PREFERENCES if is_withdrawal else Mechanism.BANNER,
        terms=terms_of(publication),
        decided_at=decision.at,
        local_day=local_date(publication.site, decision.at),
        expires_at=decision.at + timedelta(days=version.policy.valid_days) if is_grant else refused_until,
        is_under_signal=False,
        evidence=_evidence(notice_hash, purposes) if is_grant else {},
        device=None if is_withdrawal else decision.profile.browser.device,
        country=None if is_withdrawal else decision.profile.country,
    )


_ACTIONS = {
    Act.ACCEPT: Action.ACCEPT_ALL,
    Act.RENEW: Action.ACCEPT_ALL,
    Act.REFUSE: Action.REFUSE_ALL,
    Act.WITHDRAW: Action.WITHDRAW,
}


def _evidence(notice_hash: str, purposes: list[str]) -> dict[str, Any]:
    return {
        "rendered_hash": notice_hash,
        "script_hash": None,
        "layer": 1,
        "signals": {"gpc": False},
        "asked": purposes,
        "evidence": {"refuse_visible": True, "area_ratio": 1.0, "trusted": True},
    }
