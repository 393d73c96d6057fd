"""Count decisions and receipts out of indexes alone: each decision says as what it counts."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_report"
down_revision = "20261130_reasked"
branch_labels = None
depends_on = None

_KINDS = """
    UPDATE decision SET counts_as = trim(
        CASE WHEN {taken} > 0 THEN 'withdrawn ' ELSE '' END
        || CASE
            WHEN action = 'withdraw' THEN ''
            WHEN NOT {grants} THEN CASE WHEN {taken} > 0 THEN '' ELSE 'refused' END
            WHEN {refuses} THEN 'customised'
            ELSE 'accepted'
        END
    )
"""
_ON_SQLITE = {
    "taken": "json_array_length(withdrawn)",
    "grants": "EXISTS (SELECT 1 FROM json_each(decision.purposes) WHERE type = 'true')",
    "refuses": "EXISTS (SELECT 1 FROM json_each(decision.purposes) WHERE type = 'false')",
}
_ON_POSTGRESQL = {
    "taken": "jsonb_array_length(withdrawn)",
    "grants": "jsonb_path_exists(purposes, '$.* ? (@ == true)')",
    "refuses": "jsonb_path_exists(purposes, '$.* ? (@ == false)')",
}
# The one of SQLite that forbids what follows; made anew as it was.
_NEVER_CHANGES = """
    CREATE TRIGGER decision_never_changes BEFORE UPDATE ON decision
    BEGIN SELECT RAISE(ABORT, 'a decision never changes'); END
"""


def upgrade() -> None:
    """Say of each decision as what it counts; records stay as they are."""
    op.add_column("decision", sa.Column("counts_as", sa.Text(), server_default="", nullable=False))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE decision DISABLE TRIGGER decision_append_only")
        op.execute(_KINDS.format(**_ON_POSTGRESQL))
        op.execute("ALTER TABLE decision ENABLE TRIGGER decision_append_only")
    else:
        op.execute("DROP TRIGGER decision_never_changes")
        op.execute(_KINDS.format(**_ON_SQLITE))
        op.execute(_NEVER_CHANGES)
    op.drop_index(op.f("ix_decision_site_id_decided_at"), table_name="decision")
    columns = ["site_id", "decided_at", "counts_as", "language", "policy_version"]
    op.create_index("ix_decision_counted", "decision", columns)
    refused = sa.text("receipt_id IS NULL")
    op.create_index(
        "ix_decision_refusals",
        "decision",
        ["site_id", "expires_at", "policy_version"],
        sqlite_where=refused,
        postgresql_where=refused,
    )
    op.drop_index(op.f("ix_receipt_site_id_expires_at"), table_name="receipt")
    op.create_index("ix_receipt_counted", "receipt", ["site_id", "expires_at", "withdrawn_at", "policy_version"])


def downgrade() -> None:
    """Forget what the purposes say as well."""
    op.drop_index("ix_receipt_counted", table_name="receipt")
    op.create_index(op.f("ix_receipt_site_id_expires_at"), "receipt", ["site_id", "expires_at"])
    op.drop_index("ix_decision_refusals", table_name="decision")
    op.drop_index("ix_decision_counted", table_name="decision")
    op.create_index(op.f("ix_decision_site_id_decided_at"), "decision", ["site_id", "decided_at"])
    op.drop_column("decision", "counts_as")
