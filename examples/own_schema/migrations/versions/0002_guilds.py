"""Guilds and their members, in a schema of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE SCHEMA social")
    op.create_table(
        "guilds",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False, unique=True),
        sa.Column("founder_uuid", sa.Uuid(), sa.ForeignKey("accounts.uuid"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        schema="social",
    )
    op.create_table(
        "memberships",
        sa.Column("guild_id", sa.Integer(), sa.ForeignKey("social.guilds.id"), primary_key=True),
        sa.Column("account_uuid", sa.Uuid(), sa.ForeignKey("accounts.uuid"), primary_key=True),
        sa.Column("rank", sa.String(20), nullable=False),
        schema="social",
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA social CASCADE")
