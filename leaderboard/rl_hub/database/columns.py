"""Columns that tables of SQLite and PostgreSQL are made of, with one meaning on both."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

# SQLite gives automatic ids to INTEGER primary keys only. With `sqlite_autoincrement` none is given out twice: what was
# granted to somebody who is gone must not pass to whoever comes next.
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite has no time zones: it keeps the naive UTC time."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """A time with a zone where the database knows zones."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What is stored."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  the base class's signature
        """What is read: always aware, always UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def new_metadata() -> MetaData:
    """Metadata whose constraints have names, which migrations need."""
    return MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def number() -> Column[int]:
    """The primary key `id`, given out by the database."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def parent(name: str, target: str, *, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    """A reference to a row of another table, with which this row goes."""
    reference = ForeignKey(f"{target}.id", ondelete="CASCADE")
    return Column(name, Id, reference, primary_key=primary_key, nullable=nullable)


def created() -> Column[datetime]:
    """When the row was made."""
    return Column("created_at", UtcDateTime, nullable=False)


def one_of(column: str, *values: str) -> CheckConstraint:
    """A column that holds one of a few words."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)
