"""Create the main database: sites, policies, notices, decisions, receipts, jobs, people, audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261124_main"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = (
    "site",
    "origin",
    "policy_version",
    "notice",
    "revision",
    "decision",
    "decision_removal",
    "decision_count",
    "receipt",
    "revocation",
    "erasure_job",
    "idempotency",
    "user",
    "user_site",
    "login",
    "api_token",
    "audit",
)

# A decision is evidence: it never changes, and it goes only when an erasure or retention names it first.
SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER decision_never_changes BEFORE UPDATE ON decision
    BEGIN SELECT RAISE(ABORT, 'a decision never changes'); END
    """,
    """
    CREATE TRIGGER decision_goes_only_by_name BEFORE DELETE ON decision
    WHEN NOT EXISTS (SELECT 1 FROM decision_removal WHERE decision_id = OLD.decision_id)
    BEGIN SELECT RAISE(ABORT, 'a decision goes only by erasure or retention'); END
    """,
)
POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION decision_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM decision_removal WHERE decision_id = OLD.decision_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'a decision never changes, and goes only by erasure or retention';
    END $$
    """,
    """
    CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON decision
    FOR EACH ROW EXECUTE FUNCTION decision_is_append_only()
    """,
    """
    CREATE FUNCTION decision_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'decisions are never truncated'; END $$
    """,
    """
    CREATE TRIGGER decision_no_truncate BEFORE TRUNCATE ON decision
    FOR EACH STATEMENT EXECUTE FUNCTION decision_is_never_emptied()
    """,
)


def upgrade() -> None:
    """Create every table and the triggers that keep decisions append-only."""
    _sites()
    _decisions()
    _receipts()
    _people()
    _access()
    triggers = POSTGRESQL_TRIGGERS if op.get_bind().dialect.name == "postgresql" else SQLITE_TRIGGERS
    for statement in triggers:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Drop everything."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER decision_no_truncate ON decision")
        op.execute("DROP TRIGGER decision_append_only ON decision")
        op.execute("DROP FUNCTION decision_is_never_emptied()")
        op.execute("DROP FUNCTION decision_is_append_only()")
    for name in reversed(TABLES):
        op.drop_table(name)


def _sites() -> None:
    op.create_table(
        "site",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) >= 8", name=op.f("ck_site_key")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site")),
        sa.UniqueConstraint("key", name=op.f("uq_site_key")),
    )
    op.create_table(
        "origin",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_origin_site_id")),
        sa.PrimaryKeyConstraint("site_id", "origin", name=op.f("pk_origin")),
    )
    op.create_index(op.f("ix_origin_origin"), "origin", ["origin"], unique=False)
    op.create_table(
        "policy_version",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("material_version", sa.Integer(), nullable=False),
        sa.Column("refusal_material_version", sa.Integer(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_policy_version_version")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_policy_version_site_id")),
        sa.PrimaryKeyConstraint("site_id", "version", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "notice",
        sa.Column("notice_hash", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(notice_hash) = 64", name=op.f("ck_notice_notice_hash")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_notice_site_id")),
        sa.PrimaryKeyConstraint("notice_hash", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_site_id_policy_version"), "notice", ["site_id", "policy_version"], unique=False)
    op.create_table(
        "revision",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_revision")),
    )


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.Column("previous_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("purposes", JSON, nullable=False),
        sa.Column("withdrawn", JSON, nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("notice_hash", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("mechanism", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "action IN ('accept_all', 'refuse_all', 'save', 'withdraw')", name=op.f("ck_decision_action")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_decision_site_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_receipt_id"), "decision", ["receipt_id"], unique=False)
    op.create_index(op.f("ix_decision_site_id_decided_at"), "decision", ["site_id", "decided_at"], unique=False)
    op.create_table(
        "decision_removal",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason IN ('erasure', 'retention')", name=op.f("ck_decision_removal_reason")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision_removal")),
    )
    op.create_table(
        "decision_count",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_decision_count_site_id")),
        sa.PrimaryKeyConstraint("site_id", "day", "action", "dimension", "value", name=op.f("pk_decision_count")),
    )


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("visitor_id", sa.BigInteger(), nullable=False),
        sa.Column("visitor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("notice_hash", sa.Text(), nullable=False),
        sa.Column("purposes", JSON, nullable=False),
        sa.Column("withdrawn", JSON, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_restricted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_under_signal", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(receipt_id) = 32", name=op.f("ck_receipt_receipt_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_receipt_site_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_site_id_expires_at"), "receipt", ["site_id", "expires_at"], unique=False)
    op.create_table(
        "revocation",
        sa.Column("number", Serial, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("purposes", JSON, nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_revocation_site_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_revocation")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_revocation_receipt_id"), "revocation", ["receipt_id"], unique=False)
    op.create_table(
        "erasure_job",
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("revocation_number", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reason IN ('withdrawal', 'request', 'retention')", name=op.f("ck_erasure_job_reason")),
        sa.CheckConstraint("status IN ('pending', 'done', 'held')", name=op.f("ck_erasure_job_status")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_erasure_job_site_id")),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure_job")),
    )
    op.create_index(op.f("ix_erasure_job_receipt_id"), "erasure_job", ["receipt_id"], unique=False)
    op.create_index(op.f("ix_erasure_job_status"), "erasure_job", ["status"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_idempotency_site_id")),
        sa.PrimaryKeyConstraint("site_id", "idempotency_key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_created_at"), "idempotency", ["created_at"], unique=False)


def _people() -> None:
    op.create_table(
        "user",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("setup_hash", sa.Text(), nullable=True),
        sa.Column("setup_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'privacy_officer', 'analyst', 'viewer')", name=op.f("ck_user_role")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sa.UniqueConstraint("setup_hash", name=op.f("uq_user_setup_hash")),
    )
    op.create_table(
        "user_site",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_user_site_site_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_user_site_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "site_id", name=op.f("pk_user_site")),
    )
    op.create_table(
        "login",
        sa.Column("login_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_login_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("login_hash", name=op.f("pk_login")),
    )
    op.create_index(op.f("ix_login_user_id"), "login", ["user_id"], unique=False)


def _access() -> None:
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_api_token_site_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", Serial, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_audit_site_id")),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_site_id_at"), "audit", ["site_id", "at"], unique=False)
