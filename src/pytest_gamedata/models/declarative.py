"""The declarative base of the tables, and the column types that they share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    MetaData,
    Text,
    create_mock_engine,
    func,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Big = Annotated[int, mapped_column(BigInteger)]
Country = Annotated[str, mapped_column(CHAR(2))]


class Base(DeclarativeBase):
    """The declarative base: its metadata holds the four tables."""

    type_annotation_map = {str: Text}  # noqa: RUF012 - SQLAlchemy reads it from the class


class OptionalBase(Base):
    """The declarative base of the tables that are created only where their factories are asked for."""

    __abstract__ = True
    metadata = MetaData()


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Allow only these values in a column."""
    allowed = ",".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})")


def describe_tables() -> str:
    """Return the statements that create the tables: ours, changed or not, and those that others have added."""
    statements: list[str] = []

    def collect(statement: Any, *parameters: Any, **named: Any) -> None:
        compiled = statement.compile(dialect=engine.dialect)
        statements.append(f"{compiled} {compiled.params} {parameters} {named}")

    engine = create_mock_engine("postgresql+psycopg://", collect)
    for base in (Base, OptionalBase):
        base.metadata.create_all(engine, checkfirst=False)
    return "\n".join(sorted(statements))  # the order of indexes differs between processes
