"""The declarative base of the tables, and the column types that they share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from sqlalchemy import CHAR, BigInteger, CheckConstraint, DateTime, Identity, Text, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Big = Annotated[int, mapped_column(BigInteger)]
Country = Annotated[str, mapped_column(CHAR(2))]


class Base(DeclarativeBase):
    """The declarative base: its metadata holds the four tables."""

    type_annotation_map = {str: Text}  # noqa: RUF012 - SQLAlchemy reads it from the class


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Allow only these values in a column."""
    allowed = ",".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})")
