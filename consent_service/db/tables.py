"""Define the main database: every table of sites, policies, decisions, people and jobs in one read."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    text,
)

from consent_service.db.columns import JSON, Serial, at, metadata, site_column

site = Table(
    "site",
    metadata,
    Column("site_id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("settings", JSON, nullable=False),
    at("created_at"),
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
    at("published_at"),
    CheckConstraint("version >= 1", name="version"),
)

notice = Table(
    "notice",
    metadata,
    Column("notice_hash", Text, primary_key=True),
    site_column(),
    Column("policy_version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    at("created_at"),
    CheckConstraint("length(notice_hash) = 64", name="notice_hash"),
    Index(None, "site_id", "policy_version"),
)

# Every part of the client that was ever served, by what a decision says it ran.
client_script = Table(
    "client_script",
    metadata,
    Column("script_hash", Text, primary_key=True),
    Column("integrity", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    at("created_at"),
)

notice_screenshot = Table(
    "notice_screenshot",
    metadata,
    # The picture's entry in the ledger.
    Column("entry_id", Text, primary_key=True),
    site_column(),
    Column("notice_hash", Text, nullable=False),
    Column("surface", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("script_hash", Text, nullable=False),
    Column("png", LargeBinary, nullable=False),
    at("taken_at"),
    CheckConstraint("surface IN ('banner', 'preferences')", name="surface"),
    CheckConstraint("length(png) <= 4194304", name="png"),
    # Its name made of its columns would be too long for PostgreSQL.
    Index("ix_notice_screenshot_same", "notice_hash", "surface", "width", "script_hash", "sha256", unique=True),
)

receipt = Table(
    "receipt",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    site_column(),
    Column("visitor_id", BigInteger, nullable=False),
    at("visitor_at"),
    Column("decision_id", Text, nullable=False),
    at("decided_at"),
    at("granted_at"),
    at("expires_at"),
    Column("policy_version", Integer, nullable=False),
    Column("notice_hash", Text, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("withdrawn", JSON, nullable=False),
    at("withdrawn_at", nullable=True),
    Column("is_restricted", Boolean, nullable=False, server_default=false()),
    Column("is_under_signal", Boolean, nullable=False, server_default=false()),
    at("created_at"),
    CheckConstraint("length(receipt_id) = 32", name="receipt_id"),
    # Holds all that is counted of receipts, so that counting a million reads no row of them.
    Index("ix_receipt_counted", "site_id", "expires_at", "withdrawn_at", "policy_version"),
)

decision = Table(
    "decision",
    metadata,
    Column("decision_id", Text, primary_key=True),
    site_column(),
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
    at("decided_at"),
    at("expires_at"),
    # The exact bytes that are proven; never serialised anew.
    Column("record", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    # What reports count it as, words of `report.kinds_of`: the purposes say it too, but not to an index.
    Column("counts_as", Text, nullable=False, server_default=""),
    CheckConstraint("action IN ('accept_all', 'refuse_all', 'save', 'withdraw')", name="action"),
    Index("ix_decision_counted", "site_id", "decided_at", "counts_as", "language", "policy_version"),
    Index(None, "receipt_id"),
    # Refusals in force, whom a new policy may ask again.
    Index(
        "ix_decision_refusals",
        "site_id",
        "expires_at",
        "policy_version",
        sqlite_where=text("receipt_id IS NULL"),
        postgresql_where=text("receipt_id IS NULL"),
    ),
)

# Names each decision that is being deleted, within that transaction alone: the append-only trigger lets go of no other.
decision_removal = Table(
    "decision_removal",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    at("removed_at"),
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
    site_column(),
    Column("receipt_id", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("purposes", JSON, nullable=False),
    at("revoked_at"),
    Index(None, "receipt_id"),
    sqlite_autoincrement=True,
)

erasure_job = Table(
    "erasure_job",
    metadata,
    Column("erasure_id", Text, primary_key=True),
    site_column(),
    # Forgotten 90 days after the erasure; the certificate stays.
    Column("receipt_id", Text),
    Column("revocation_number", BigInteger),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("events", Integer),
    at("requested_at"),
    at("due_at"),
    at("done_at", nullable=True),
    at("compacted_at", nullable=True),
    # With the events the records and salts go too, and how many decisions went.
    Column("removes_records", Boolean, nullable=False, server_default=false()),
    Column("records", Integer),
    CheckConstraint("status IN ('pending', 'done', 'held')", name="status"),
    CheckConstraint("reason IN ('withdrawal', 'request', 'retention')", name="reason"),
    Index(None, "status"),
    Index(None, "receipt_id"),
)

# What must be kept and not used: one receipt's data, or a whole site's (no receipt).
hold = Table(
    "hold",
    metadata,
    Column("hold_id", Text, primary_key=True),
    site_column(),
    Column("receipt_id", Text),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    at("placed_at"),
    at("until", nullable=True),
    Column("lifted_by", Text),
    at("lifted_at", nullable=True),
    CheckConstraint("kind IN ('legal', 'restriction')", name="kind"),
    Index(None, "lifted_at"),
    Index(None, "receipt_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("site_id", ForeignKey("site.site_id"), primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    at("created_at"),
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
    at("setup_expires_at", nullable=True),
    Column("failed_logins", Integer, nullable=False, default=0),
    at("locked_until", nullable=True),
    at("created_at"),
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
    at("created_at"),
    at("seen_at"),
    Index(None, "user_id"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_id", Text, primary_key=True),
    site_column(),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("is_public", Boolean, nullable=False, server_default=false()),
    Column("created_by", Text, nullable=False),
    at("created_at"),
    at("expires_at", nullable=True),
    at("revoked_at", nullable=True),
    at("used_at", nullable=True),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", Serial, primary_key=True, autoincrement=True),
    at("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    site_column(nullable=True),
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
