"""Define the main database: every table of sites, policies, decisions, people and jobs in one read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON as GenericJSON
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

JSON = GenericJSON().with_variant(JSONB(), "postgresql")
# SQLite numbers a row by itself only when the key is declared INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """Store aware UTC times and give them back aware, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: a time without a zone is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the stored time back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _at(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcDateTime(), nullable=nullable)


def _site(*, nullable: bool = False) -> Column[Any]:
    return Column("site_id", ForeignKey("site.site_id"), nullable=nullable)


site = Table(
    "site",
    metadata,
    Column("site_id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("settings", JSON, nullable=False),
    _at("created_at"),
    CheckConstraint("length(key) >= 8", name="key"),
)

origin = Table(
    "origin",
    metadata,
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Index(None, "origin"),
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("content_hash", Text, nullable=False),
    # The oldest versions whose grants and whose refusals still stand beside this one.
    Column("material_version", Integer, nullable=False),
    Column("refusal_material_version", Integer, nullable=False),
    Column("published_by", Text, nullable=False),
    _at("published_at"),
    CheckConstraint("version >= 1", name="version"),
)

notice = Table(
    "notice",
    metadata,
    Column("notice_hash", Text, primary_key=True),
    _site(),
    Column("policy_version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    _at("created_at"),
    CheckConstraint("length(notice_hash) = 64", name="notice_hash"),
    Index(None, "site_id", "policy_version"),
)

receipt = Table(
    "receipt",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    _site(),
    Column("visitor_id", BigInteger, nullable=False),
    _at("visitor_at"),
    Column("decision_id", Text, nullable=False),
    _at("decided_at"),
    _at("granted_at"),
    _at("expires_at"),
    Column("policy_version", Integer, nullable=False),
    Column("notice_hash", Text, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("withdrawn", JSON, nullable=False),
    _at("withdrawn_at", nullable=True),
    Column("is_restricted", Boolean, nullable=False, server_default=false()),
    Column("is_under_signal", Boolean, nullable=False, server_default=false()),
    _at("created_at"),
    CheckConstraint("length(receipt_id) = 32", name="receipt_id"),
    Index(None, "site_id", "expires_at"),
)

decision = Table(
    "decision",
    metadata,
    Column("decision_id", Text, primary_key=True),
    _site(),
    # Null for a refusal: it carries no identifier.
    Column("receipt_id", Text),
    Column("previous_id", Text),
    Column("action", Text, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("withdrawn", JSON, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("notice_hash", Text),
    Column("language", Text, nullable=False),
    Column("mechanism", Text, nullable=False),
    Column("device", Text),
    Column("country", Text),
    _at("decided_at"),
    _at("expires_at"),
    # The exact bytes that are proven; never serialised anew.
    Column("record", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    CheckConstraint("action IN ('accept_all', 'refuse_all', 'save', 'withdraw')", name="action"),
    Index(None, "site_id", "decided_at"),
    Index(None, "receipt_id"),
)

# Names each decision that is being deleted, within that transaction alone: the append-only trigger lets go of no other.
decision_removal = Table(
    "decision_removal",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    _at("removed_at"),
    CheckConstraint("reason IN ('erasure', 'retention')", name="reason"),
)

# Refusals keep no device and no country on their record; these sums of the site's days are all there is of it.
decision_count = Table(
    "decision_count",
    metadata,
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("dimension", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("n", Integer, nullable=False),
)

# Banners shown, where a site counts them: sums of its days and of nobody in particular.
coverage_count = Table(
    "coverage_count",
    metadata,
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("notice_hash", Text, primary_key=True),
    Column("n", Integer, nullable=False),
)

revocation = Table(
    "revocation",
    metadata,
    Column("number", Serial, primary_key=True, autoincrement=True),
    _site(),
    Column("receipt_id", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("purposes", JSON, nullable=False),
    _at("revoked_at"),
    Index(None, "receipt_id"),
    sqlite_autoincrement=True,
)

erasure_job = Table(
    "erasure_job",
    metadata,
    Column("erasure_id", Text, primary_key=True),
    _site(),
    Column("receipt_id", Text, nullable=False),
    Column("revocation_number", BigInteger),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("events", Integer),
    _at("requested_at"),
    _at("due_at"),
    _at("done_at", nullable=True),
    _at("compacted_at", nullable=True),
    CheckConstraint("status IN ('pending', 'done', 'held')", name="status"),
    CheckConstraint("reason IN ('withdrawal', 'request', 'retention')", name="reason"),
    Index(None, "status"),
    Index(None, "receipt_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    _at("created_at"),
    Index(None, "created_at"),
)

user = Table(
    "user",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("setup_hash", Text, unique=True),
    _at("setup_expires_at", nullable=True),
    Column("failed_logins", Integer, nullable=False, default=0),
    _at("locked_until", nullable=True),
    _at("created_at"),
    CheckConstraint("role IN ('admin', 'privacy_officer', 'analyst', 'viewer')", name="role"),
)

user_site = Table(
    "user_site",
    metadata,
    Column("user_id", ForeignKey("user.user_id", ondelete="CASCADE"), primary_key=True),
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
)

login = Table(
    "login",
    metadata,
    Column("login_hash", Text, primary_key=True),
    Column("user_id", ForeignKey("user.user_id", ondelete="CASCADE"), nullable=False),
    _at("created_at"),
    _at("seen_at"),
    Index(None, "user_id"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_id", Text, primary_key=True),
    _site(),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("is_public", Boolean, nullable=False, server_default=false()),
    Column("created_by", Text, nullable=False),
    _at("created_at"),
    _at("expires_at", nullable=True),
    _at("revoked_at", nullable=True),
    _at("used_at", nullable=True),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", Serial, primary_key=True, autoincrement=True),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _site(nullable=True),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "site_id", "at"),
    sqlite_autoincrement=True,
)

# One row a kind of cached thing; workers reread their cache when the number moves.
revision = Table(
    "revision",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
