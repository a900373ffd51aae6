"""The tables of the Hub's database.

Times are aware UTC datetimes. Names that must be unique regardless of case have a lower-case `key` beside them.
Contents of files are not here but in the blob store; rows name them by SHA-256.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rl_hub.database.columns import Id, UtcDateTime, created, new_metadata, number, one_of, parent

metadata = new_metadata()

accounts = Table(
    "accounts",
    metadata,
    number(),
    Column("name", String(96), nullable=False),
    Column("key", String(96), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("full_name", Text, nullable=False, default=""),
    Column("email", Text),
    Column("password_hash", Text),
    Column("is_admin", Boolean, nullable=False, default=False),
    created(),
    one_of("kind", "user", "org"),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    parent("organisation_id", "accounts", primary_key=True),
    parent("user_id", "accounts", primary_key=True),
    Column("role", String(8), nullable=False),
    one_of("role", "admin", "write", "read"),
    Index(None, "user_id"),
)

tokens = Table(
    "tokens",
    metadata,
    number(),
    parent("user_id", "accounts"),
    Column("name", Text, nullable=False),
    Column("role", String(8), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    created(),
    Column("expires_at", UtcDateTime),
    one_of("role", "read", "write"),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    parent("user_id", "accounts"),
    created(),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "user_id"),
)

device_codes = Table(
    "device_codes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_code", String(16), nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    created(),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_polled_at", UtcDateTime),
    parent("approved_by", "accounts", nullable=True),
    Column("role", String(8)),
    Column("denied", Boolean, nullable=False, default=False),
)

throttles = Table(
    "throttles",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", UtcDateTime, nullable=False),
)

repositories = Table(
    "repositories",
    metadata,
    number(),
    Column("kind", String(8), nullable=False),
    parent("owner_id", "accounts"),
    Column("owner_name", String(96), nullable=False),
    Column("name", String(96), nullable=False),
    Column("key", String(200), nullable=False),
    Column("private", Boolean, nullable=False),
    created(),
    Column("last_modified", UtcDateTime, nullable=False),
    Column("sha", String(40), nullable=False),
    UniqueConstraint("kind", "key"),
    one_of("kind", "model", "dataset", "space"),
    Index(None, "owner_id", "last_modified"),
    # Newest first with a substring of the key, answered from the index alone.
    Index("ix_repositories_newest", "kind", "last_modified", "id", "key", "private", "owner_id"),
    sqlite_autoincrement=True,
)

repository_cards = Table(
    "repository_cards",
    metadata,
    parent("repository_id", "repositories", primary_key=True),
    Column("data", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("library_name", Text),
    Column("pipeline_tag", Text),
)

repository_tags = Table(
    "repository_tags",
    metadata,
    parent("repository_id", "repositories", primary_key=True),
    Column("tag", String(256), primary_key=True),
    Column("last_modified", UtcDateTime, nullable=False),
    Index(None, "tag", "last_modified", "repository_id"),
)

refs = Table(
    "refs",
    metadata,
    parent("repository_id", "repositories", primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("sha", String(40), nullable=False),
    Column("message", Text),
    one_of("kind", "branch", "tag"),
)

commits = Table(
    "commits",
    metadata,
    parent("repository_id", "repositories", primary_key=True),
    Column("sha", String(40), primary_key=True),
    Column("parent", String(40)),
    Column("tree", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("author_id", Id, ForeignKey("accounts.id", ondelete="SET NULL")),
    Column("author_name", String(96), nullable=False),
    created(),
    Column("position", Integer, nullable=False),
    Index(None, "repository_id", "position"),
    Index(None, "author_id"),
)

git_objects = Table(
    "git_objects",
    metadata,
    Column("sha", String(40), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("data", LargeBinary, nullable=False),
    one_of("kind", "tree", "commit"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    created(),
    CheckConstraint("size >= 0", name="size"),
)

files = Table(
    "files",
    metadata,
    Column("git_oid", String(40), primary_key=True),
    Column("sha256", String(64), ForeignKey("blobs.sha256"), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("lfs", Boolean, nullable=False),
    Index(None, "sha256"),
)

repository_files = Table(
    "repository_files",
    metadata,
    parent("repository_id", "repositories", primary_key=True),
    Column("git_oid", String(40), primary_key=True),
    ForeignKeyConstraint(["git_oid"], ["files.git_oid"]),
    Index(None, "git_oid"),
)

upload_grants = Table(
    "upload_grants",
    metadata,
    parent("user_id", "accounts", primary_key=True),
    parent("repository_id", "repositories", primary_key=True),
    Column("sha256", String(64), ForeignKey("blobs.sha256"), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "sha256"),
)

xet_namespaces = Table(
    "xet_namespaces",
    metadata,
    parent("user_id", "accounts", primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("last_used_at", UtcDateTime, nullable=False),
)

events = Table(
    "events",
    metadata,
    number(),
    created(),
    # No foreign key: that a repository was deleted is an event too.
    Column("repository_id", Id),
    Column("payload", Text, nullable=False),
    sqlite_autoincrement=True,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(32), primary_key=True),
    parent("owner_id", "accounts"),
    Column("url", Text, nullable=False),
    Column("secret", Text),
    Column("watched", Text, nullable=False),
    Column("domains", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    created(),
)

deliveries = Table(
    "deliveries",
    metadata,
    number(),
    Column("webhook_id", String(32), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    parent("event_id", "events"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("delivered_at", UtcDateTime),
    Column("last_error", Text),
    Index(None, "delivered_at", "next_attempt_at"),
    Index(None, "webhook_id"),
    Index(None, "event_id"),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("name", String(96), primary_key=True),
    Column("last_event_id", Id, nullable=False),
)
