"""Hold one policy: who asks, for which purposes, with which data, recipients, storage and words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from consent_service.documents import StrictModel, canonical_json
from consent_service.fields import (
    Country,
    Email,
    Essay,
    Host,
    Identifier,
    Jurisdiction,
    Language,
    Line,
    Name,
    OptionalEmail,
    OptionalUrl,
    Text,
)

Translated = Annotated[dict[Language, Text], Field(max_length=50)]
"""One text in every language of the policy."""


class Audience(StrEnum):
    """Say whom the site addresses."""

    GENERAL = "general"
    CHILDREN = "children"


class DataGroup(StrEnum):
    """Name what a purpose may collect; nothing outside the declared groups is stored."""

    PAGE = "page"
    SOURCE = "source"
    CAMPAIGN = "campaign"
    DEVICE = "device"
    COUNTRY = "country"
    REGION = "region"
    CITY = "city"
    ENGAGEMENT = "engagement"
    EVENTS = "events"
    PROPS = "props"
    REVENUE = "revenue"
    OUTBOUND = "outbound"
    DOWNLOADS = "downloads"
    FORMS = "forms"
    VITALS = "vitals"


class StorageKind(StrEnum):
    """Say where a browser keeps what a purpose stores."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local_storage"


class Role(StrEnum):
    """Say in which role a recipient receives data (GDPR art. 4)."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    JOINT_CONTROLLER = "joint_controller"


class Controller(StrictModel):
    """Name who is responsible and how to reach them (GDPR art. 13(1)(a), (b))."""

    name: Name
    address: Name
    country: Country
    email: Email
    phone: Line = ""
    dpo_email: OptionalEmail = ""
    representative: Line = ""
    authority: Name


class JointController(StrictModel):
    """Name another responsible party and the essence of the arrangement with it (GDPR art. 26)."""

    name: Name
    address: Name
    country: Country
    email: Email
    arrangement: Text


class Recipient(StrictModel):
    """Name who receives data, and the safeguard when that is outside the EEA (GDPR art. 13(1)(e), (f))."""

    id: Identifier
    name: Name
    role: Role
    address: Name
    country: Country
    transfer: Line = ""
    policy_url: OptionalUrl = ""


class Cookie(StrictModel):
    """Declare one thing kept in the browser; 0 days means until the browser closes."""

    name: Name
    kind: StorageKind
    host: Literal["first-party"] | Host = "first-party"
    days: Annotated[int, Field(ge=0, le=3650)]
    description: Translated


class Exempt(StrictModel):
    """Declare storage that needs no consent (ePrivacy Directive art. 5(3)): shown, never asked."""

    id: Identifier
    title: Translated
    description: Translated
    cookies: Annotated[tuple[Cookie, ...], Field(max_length=50)] = ()


class Purpose(StrictModel):
    """Declare one purpose that a visitor may grant or refuse."""

    id: Identifier
    basis: Literal["consent"]
    measures: bool = False
    sale_or_share: bool = False
    retention_days: Annotated[int, Field(ge=1, le=1095)]
    recipients: Annotated[tuple[Identifier, ...], Field(max_length=50)] = ()
    data: Annotated[tuple[DataGroup, ...], Field(min_length=1)]
    title: Translated
    description: Translated
    cookies: Annotated[tuple[Cookie, ...], Field(max_length=50)] = ()


_Word = Annotated[str, Field(min_length=1, max_length=60)]
_Sentence = Annotated[str, Field(min_length=1, max_length=300)]


class BannerTexts(StrictModel):
    """Hold a policy's own banner words in one language; None where the built-in words serve."""

    title: _Sentence | None = None
    body: Text | None = None
    accept: _Word | None = None
    refuse: _Word | None = None
    customize: _Word | None = None
    save: _Word | None = None
    policy: _Word | None = None
    open: _Word | None = None
    saved: _Sentence | None = None
    signal: Text | None = None
    failed: _Sentence | None = None
    confirm: _Sentence | None = None
    blocked: _Sentence | None = None
    allow: _Word | None = None


class Policy(StrictModel):
    """Hold one policy. Bit i of a token's purposes is `purposes[i]`."""

    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=50)]
    default_language: Language
    jurisdiction: Jurisdiction
    audience: Audience = Audience.GENERAL
    valid_days: Annotated[int, Field(ge=1, le=395)]
    refusal_days: Annotated[int, Field(ge=180, le=3650)]
    record_retention_days: Annotated[int, Field(ge=1, le=3650)]
    material_purposes: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    material_reason: Translated = Field(default_factory=dict)
    controller: Controller
    joint_controllers: Annotated[tuple[JointController, ...], Field(max_length=20)] = ()
    recipients: Annotated[tuple[Recipient, ...], Field(max_length=50)] = ()
    exempt: Annotated[tuple[Exempt, ...], Field(max_length=20)] = ()
    purposes: Annotated[tuple[Purpose, ...], Field(max_length=20)] = ()
    texts: Annotated[dict[Language, BannerTexts], Field(max_length=50)] = Field(default_factory=dict)
    privacy: Annotated[dict[Language, Essay], Field(max_length=50)] = Field(default_factory=dict)

    @property
    def measuring(self) -> Purpose | None:
        """Give the purpose that events need; None where children are addressed and nothing is measured."""
        return next((purpose for purpose in self.purposes if purpose.measures), None)

    def purpose(self, purpose_id: str) -> Purpose | None:
        """Find a purpose by its id."""
        return next((purpose for purpose in self.purposes if purpose.id == purpose_id), None)

    def recipient(self, recipient_id: str) -> Recipient:
        """Find a recipient by its id; raises KeyError."""
        for recipient in self.recipients:
            if recipient.id == recipient_id:
                return recipient
        raise KeyError(recipient_id)

    def recipients_of(self, purpose: Purpose) -> Iterator[Recipient]:
        """Give the recipients that a purpose names, in its order."""
        return (self.recipient(recipient_id) for recipient_id in purpose.recipients)

    def document(self) -> dict[str, Any]:
        """Give the policy as JSON-able values with every key written out; what is stored and hashed."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read back what `document` gave; raises pydantic's ValidationError for anything else."""
        return cls.model_validate_json(canonical_json(document))

    def content_hash(self) -> str:
        """Give the SHA-256 of the canonical document, as hex."""
        return hashlib.sha256(canonical_json(self.document())).hexdigest()
