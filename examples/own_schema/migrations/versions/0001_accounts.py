"""Accounts and their orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("uuid", sa.Uuid(), primary_key=True),
        sa.Column("handle", sa.String(40), nullable=False, unique=True),
        sa.Column("mail", sa.String(254), unique=True),
        sa.Column("password_hash", sa.String()),
        sa.Column("state", sa.Enum("ACTIVE", "BLOCKED", "CLOSED", name="account_state"), nullable=False),
        sa.Column("spent", sa.Numeric(12, 2), nullable=False),
        sa.Column("country_code", sa.String(2), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("uuid", sa.Uuid(), primary_key=True),
        sa.Column("account_uuid", sa.Uuid(), sa.ForeignKey("accounts.uuid"), nullable=False, index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("orders")
    op.drop_table("accounts")
    op.execute("DROP TYPE account_state")
