"""Describe consents as ISO/IEC TS 27560 asks, in the words of the W3C's Data Privacy Vocabulary. Pure.

Fields and their terms follow the DPVCG's guide "Consent Records and Receipts using DPV and ISO/IEC TS 27560:2023"
(https://w3id.org/dpv/guides/consent-27560); every mandatory one is filled from the policy file and the record alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent_service.consent.policy_model import DataGroup, JointController, Policy, Purpose, Recipient, Role
from consent_service.fields import EEA

SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#"
CONTEXT: Final[Mapping[str, Any]] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    # What proves a receipt is of no vocabulary: the log's own words.
    "cs": "urn:consent-service:",
    **{word: f"cs:{word}" for word in ("decisions", "decision_id", "record", "salt", "leaf_index", "tree_size")},
    **{word: f"cs:{word}" for word in ("leaf_hash", "checkpoint", "receipt_id", "site")},
    "hashes": {"@id": "cs:hashes", "@container": "@list"},
}
_DATA: Final[Mapping[DataGroup, str]] = {
    DataGroup.PAGE: "pd:BrowsingBehaviour",
    DataGroup.SOURCE: "pd:BrowsingReferral",
    DataGroup.CAMPAIGN: "pd:BrowsingReferral",
    DataGroup.DEVICE: "pd:DeviceBased",
    DataGroup.COUNTRY: "pd:Country",
    DataGroup.REGION: "pd:Location",
    DataGroup.CITY: "pd:City",
    DataGroup.REVENUE: "pd:Transactional",
    DataGroup.VITALS: "pd:DeviceBased",
}
_ROLES: Final[Mapping[Role, str]] = {
    Role.PROCESSOR: "dpv:DataProcessor",
    Role.CONTROLLER: "dpv:DataController",
    Role.JOINT_CONTROLLER: "dpv:JointDataControllers",
}
_RIGHTS: Final = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A77")
_METHODS: Final[Mapping[str, str]] = {
    "banner": "a button of the consent banner",
    "preferences": "a button of the preference centre",
    "no_js": "a button of a form without JavaScript",
    "api": "a call of the site's own software",
    "signal": "the browser's privacy signal (GPC)",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Hold where a site's pages are: `service` is the root of the addresses, without a slash at its end."""

    service: str
    site_key: str

    def policy_url(self, version: int) -> str:
        """Give the address of a policy version's page."""
        return f"{self.service}/privacy/{self.site_key}/{version}"

    @property
    def rights_url(self) -> str:
        """Give the address where visitors withdraw, get their data and erase them."""
        return f"{self.service}/my/{self.site_key}"


def consent_record(record: Mapping[str, Any], policy: Policy, place: Place) -> dict[str, Any]:
    """Describe one decision; `record` is the document whose exact bytes are in the log."""
    return {
        "@context": CONTEXT,
        "@id": _urn(record["decision_id"]),
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": _schemas(policy, "record"),
        "dct:identifier": record["decision_id"],
        **describe([record], policy, place),
    }


def describe(records: Sequence[Mapping[str, Any]], policy: Policy, place: Place) -> dict[str, Any]:
    """Give the members that record and receipt have in common; all records are one visitor's, the newest last.

    `policy` is the one of the newest record.
    """
    newest = records[-1]
    subject = _urn(newest["receipt_id"]) if newest["receipt_id"] else "dpv:DataSubject"
    identifier = newest["receipt_id"] or "a visitor without an identifier: refusing leaves none"
    notices = {str(record["notice"]): record for record in records if record["notice"]}
    return {
        "dpv:hasDataSubject": {"@id": subject, "@type": "dpv:DataSubject", "dct:identifier": identifier},
        "dpv:hasNotice": [
            *(_notice(digest, record, place) for digest, record in notices.items()),
            {
                "@id": place.policy_url(newest["policy_version"]),
                "@type": "dpv:PrivacyNotice",
                "dct:identifier": f"sha256:{newest['policy_hash']}",
                "dct:language": newest["language"],
            },
        ],
        "dpv:hasProcess": [_process(purpose, policy, place, newest["language"]) for purpose in policy.purposes],
        "dpv:hasEntity": list(_entities(policy)),
        "dpv:hasConsentStatus": [status for record in records for status in _events(record, policy, subject)],
    }


def receipt_head(receipt_id: str, created_at: str, policy: Policy) -> dict[str, Any]:
    """Give the members that make a document a receipt."""
    return {
        "@context": CONTEXT,
        "@id": _urn(receipt_id),
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": _schemas(policy, "receipt"),
        "dct:identifier": receipt_id,
        "dct:created": created_at,
    }


def _schemas(policy: Policy, kind: str) -> list[dict[str, str]]:
    """Name the profiles that a document fits: the general one, and that of the GDPR where it is the law."""
    is_european = policy.jurisdiction == "EU" or policy.jurisdiction.partition("-")[0] in EEA
    return [{"@id": f"{SCHEMA}{kind}"}, *([{"@id": f"{SCHEMA}{kind}-eu-gdpr"}] if is_european else [])]


def _urn(name: str) -> str:
    return f"urn:consent-service:{name}"


def _notice(digest: str, record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    return {
        "@id": f"urn:sha256:{digest}",
        "@type": "dpv:ConsentNotice",
        "dct:identifier": f"sha256:{digest}",
        "dct:language": record["language"],
        "dct:source": {"@id": place.policy_url(record["policy_version"])},
    }


def _process(purpose: Purpose, policy: Policy, place: Place, language: str) -> dict[str, Any]:
    spoken = language if language in policy.languages else policy.default_language
    recipients = list(policy.recipients_of(purpose))
    # Without a recipient the data stay with the controller, who then is the one who gets them.
    received = [_party_id(each.id) for each in recipients] or [_party_id("controller")]
    countries = dict.fromkeys([policy.controller.country, *(each.country for each in recipients)])
    return {
        "@id": _party_id(f"process-{purpose.id}"),
        "@type": "dpv:Process",
        "dct:identifier": purpose.id,
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            **({"skos:broader": {"@id": "dpv:ServiceUsageAnalytics"}} if purpose.measures else {}),
            "dct:title": {"@value": purpose.title[spoken], "@language": spoken},
            "dct:description": {"@value": purpose.description[spoken], "@language": spoken},
        },
        "dpv:hasLegalBasis": {"@id": "eu-gdpr:A6-1-a", "skos:broader": {"@id": "dpv:ExpressedConsent"}},
        "dpv:hasPersonalData": [_personal_data(group) for group in purpose.data],
        "dpv:hasProcessing": [{"@id": f"dpv:{act}"} for act in ("Collect", "Store", "Use")],
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": [{"@id": f"loc:{code}"} for code in countries]},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _duration(purpose.retention_days)},
        ],
        "dpv:hasDataController": [{"@id": _party_id("controller")}, *_joint_ids(policy)],
        "dpv:hasRecipient": [{"@id": each} for each in received],
        **_rights(policy, place),
        # By its name alone: the policy file has no address of it, which a party would need.
        "dpv:hasAuthority": {"@type": "dpv:Authority", "dpv:hasName": policy.controller.authority},
    }


def _rights(policy: Policy, place: Place) -> dict[str, Any]:
    """Say how a consent is changed and withdrawn, and which rights there are, by whose law."""
    return {
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent", "dpv:ReaffirmConsent"],
            "dpv:isExercisedAt": {"@id": place.rights_url},
        },
        "dpv:hasJurisdiction": {"@id": f"loc:{policy.jurisdiction}"},
        "dpv:hasRight": [
            {
                "@type": ["dpv:DataSubjectRight", f"eu-gdpr:{article}"],
                "dpv:isExercisedAt": {"@id": place.rights_url},
            }
            for article in _RIGHTS
        ],
    }


def _personal_data(group: DataGroup) -> dict[str, Any]:
    broader = {"@id": _DATA.get(group, "pd:BrowsingBehaviour")}
    return {"@type": "dpv:PersonalData", "skos:broader": broader, "dct:identifier": str(group)}


def _joint_ids(policy: Policy) -> list[dict[str, str]]:
    return [{"@id": _party_id(f"joint-{number}")} for number, _ in enumerate(policy.joint_controllers, 1)]


def _entities(policy: Policy) -> Iterable[dict[str, Any]]:
    controller = policy.controller
    own = _entity("controller", "dpv:DataController", controller.name, controller.address, controller.country)
    own["schema:contactPoint"] |= {
        name: value
        for name, value in (("schema:email", controller.email), ("schema:telephone", controller.phone))
        if value
    }
    yield own
    for number, joint in enumerate(policy.joint_controllers, 1):
        yield _joint(f"joint-{number}", joint)
    for recipient in policy.recipients:
        yield _recipient(recipient)


def _joint(name: str, joint: JointController) -> dict[str, Any]:
    entity = _entity(name, "dpv:JointDataControllers", joint.name, joint.address, joint.country)
    entity["schema:contactPoint"]["schema:email"] = joint.email
    return entity


def _recipient(recipient: Recipient) -> dict[str, Any]:
    role, name, country = _ROLES[recipient.role], recipient.name, recipient.country
    entity = _entity(recipient.id, role, name, recipient.address, country)
    if recipient.policy_url:
        entity["schema:contactPoint"]["schema:url"] = recipient.policy_url
    return entity


def _entity(name: str, role: str, legal_name: str, address: str, country: str) -> dict[str, Any]:
    postal = {"@type": "schema:PostalAddress", "schema:streetAddress": address, "schema:addressCountry": country}
    return {
        "@id": _party_id(name),
        "@type": role,
        "dpv:hasIdentifier": _party_id(name),
        "dpv:hasName": legal_name,
        "schema:address": postal,
        # By post, where the policy names no other way.
        "schema:contactPoint": {"@type": "schema:ContactPoint", "schema:name": legal_name, "schema:address": postal},
    }


def _party_id(name: str) -> str:
    return f"urn:consent-service:policy:{name}"


def _events(record: Mapping[str, Any], policy: Policy, subject: str) -> Iterable[dict[str, Any]]:
    """Give one status for each purpose of a decision: all were decided by the one act."""
    until = {"@type": "dpv:UntilTimeDuration", "rdf:value": record["expires_at"]}
    for purpose, is_granted in record["purposes"].items():
        withdrawn = purpose in record["withdrawn"]
        state = "ConsentGiven" if is_granted else "ConsentWithdrawn" if withdrawn else "ConsentRefused"
        yield {
            "@type": [f"dpv:{state}", "dpv:ExpressedConsent"] if is_granted else [f"dpv:{state}"],
            "dct:identifier": record["decision_id"],
            "dpv:hasLegalBasis": {"@id": "dpv:ExpressedConsent"},
            "dpv:hasProcess": {"@id": _party_id(f"process-{purpose}")},
            "dpv:isIndicatedAtTime": record["decided_at"],
            "dpv:hasDuration": until,
            "dpv:isIndicatedBy": {"@id": subject},
            "dpv:hasIndicationMethod": _METHODS.get(record["mechanism"], record["mechanism"]),
        }


def _duration(days: int) -> dict[str, Any]:
    return {"@type": "dpv:TemporalDuration", "rdf:value": {"@value": f"P{days}D", "@type": "xsd:duration"}}
