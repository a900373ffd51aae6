"""The tables of the leaderboard's database.

Times are aware UTC datetimes. Names that are compared regardless of case have a lower-case `key` beside them. Scores
are finite and bounded by a constraint: SQLite would keep NaN as NULL, and PostgreSQL would sort it to the top.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rl_hub.database.columns import Id, UtcDateTime, created, new_metadata, number, one_of, parent

metadata = new_metadata()

LONGEST_KEY = 96
LARGEST_NUMBER = 1e12
"""What a score, a mean or a standard deviation may be, at most and in absolute value."""


def _bounded(column: str) -> CheckConstraint:
    """A number that is finite: NaN is NULL on SQLite and greater than everything on PostgreSQL."""
    return CheckConstraint(f"{column} BETWEEN -{LARGEST_NUMBER:.0f} AND {LARGEST_NUMBER:.0f}", name=column)


# People

people = Table(
    "people",
    metadata,
    number(),
    Column("issuer", String(256), nullable=False),  # "hub", or an OpenID issuer
    Column("subject", String(256), nullable=False),
    Column("source", String(256)),  # the Hub on which `name` is this person's account; None: nobody vouches for it
    Column("name", String(LONGEST_KEY), nullable=False),
    Column("key", String(LONGEST_KEY), nullable=False),
    Column("full_name", Text, nullable=False, default=""),
    Column("pseudonym", String(64)),
    Column("role", String(8), nullable=False, default="student"),
    # An administrator because the issuer or the operator says so, whatever the role; no longer when they do not.
    Column("is_appointed", Boolean, nullable=False, default=False),
    Column("is_public", Boolean, nullable=False, default=False),
    created(),
    UniqueConstraint("issuer", "subject"),
    UniqueConstraint("source", "key"),
    one_of("role", "student", "teacher", "admin"),
    Index(None, "key"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    parent("person_id", "people"),
    Column("epoch", String(64), nullable=False, default=""),  # a digest of what it was begun with
    created(),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "person_id"),
)

sign_ins = Table(
    "sign_ins",  # with an OpenID provider, on their way
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("data", Text, nullable=False),
    Column("network", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    number(),
    parent("person_id", "people"),
    Column("name", String(64), nullable=False),
    Column("role", String(8), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    created(),
    Column("expires_at", UtcDateTime),
    one_of("role", "read", "write"),
    Index(None, "person_id"),
    sqlite_autoincrement=True,
)

departures = Table(
    "departures",  # of people who have deleted their account
    metadata,
    Column("student", String(64), primary_key=True),  # a digest of the Hub and the account's key
    Column("departed_at", UtcDateTime, nullable=False),
    Column("returned_at", UtcDateTime),
    Column("retracted", Text, nullable=False),  # JSON: digests of submissions to why they were, and their review
    Column("reviews", Text, nullable=False),  # JSON: assignments whose next one waits for a teacher, to why
    Column("used", Text, nullable=False),  # JSON: assignments to what was taken and tried on the day of leaving
)

# Assignments and classes

assignments = Table(
    "assignments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("protocol_version", Integer, nullable=False),
    Column("counting", String(8), nullable=False, default="best"),
    Column("quota_per_day", Integer),
    Column("frozen_at", UtcDateTime),
    one_of("counting", "best", "latest", "declared"),
    CheckConstraint("quota_per_day >= 0", name="quota_per_day"),
)

classes = Table(
    "classes",
    metadata,
    number(),
    Column("name", String(128), nullable=False),
    created(),
    Column("archived_at", UtcDateTime),
    sqlite_autoincrement=True,
)

members = Table(
    "members",
    metadata,
    parent("class_id", "classes", primary_key=True),
    parent("person_id", "people", primary_key=True),
    Column("role", String(8), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    one_of("role", "student", "teacher"),
    Index(None, "person_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("code", String(32), primary_key=True),
    parent("class_id", "classes"),
    Column("role", String(8), nullable=False),
    created(),
    Column("expires_at", UtcDateTime, nullable=False),
    one_of("role", "student", "teacher"),
    Index(None, "class_id"),
)

deadlines = Table(
    "deadlines",
    metadata,
    parent("class_id", "classes", primary_key=True),
    Column("assignment_id", String(64), ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
)

# Submissions: one row a commit and assignment

submissions = Table(
    "submissions",
    metadata,
    number(),
    Column("source", String(256), nullable=False),
    Column("repo_id", String(200), nullable=False),
    Column("repo_key", String(200), nullable=False),
    Column("sha", String(64), nullable=False),
    Column("assignment_id", String(64), ForeignKey("assignments.id", ondelete="CASCADE"), nullable=False),
    Column("env_id", String(128), nullable=False),
    Column("student_name", String(LONGEST_KEY), nullable=False),
    Column("student_key", String(LONGEST_KEY), nullable=False),
    Column("algorithm", String(32), nullable=False),
    Column("library", String(64), nullable=False),
    Column("claimed_mean", Float),
    Column("claimed_std", Float),
    Column("claimed_score", Float),
    Column("claimed_episodes", Integer),
    Column("claim_problem", Text, nullable=False, default=""),
    Column("has_replay", Boolean, nullable=False, default=False),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("declared_at", UtcDateTime),
    Column("over_quota", Boolean, nullable=False, default=False),
    Column("tries", Integer, nullable=False, default=1),  # how often it was taken in on the day of `received_at`
    Column("gone_at", UtcDateTime),  # the repository was deleted or hidden
    Column("retracted_at", UtcDateTime),
    Column("retraction", Text, nullable=False, default=""),
    # required: what its student hands in for the assignment later waits for a teacher; pending: it waits for one
    Column("review", String(8), nullable=False, default=""),
    Column("evaluation_id", Id),  # the one that counts: the newest under the current protocol
    UniqueConstraint("source", "repo_key", "sha", "assignment_id"),
    one_of("state", "received", "queued", "running", "scored", "failed"),
    one_of("review", "", "required", "pending"),
    _bounded("claimed_mean"),
    _bounded("claimed_std"),
    _bounded("claimed_score"),
    Index(None, "source", "student_key", "assignment_id"),
    Index(None, "assignment_id", "state"),
    sqlite_autoincrement=True,
)

evaluations = Table(
    "evaluations",
    metadata,
    number(),
    parent("submission_id", "submissions"),
    Column("protocol_id", String(64), nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("batch", String(64), nullable=False),  # of seeds: the same batch is published once
    Column("mean", Float, nullable=False),
    Column("std", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("n_episodes", Integer, nullable=False),
    Column("n_truncated", Integer, nullable=False),
    Column("isolation", String(64), nullable=False),
    Column("agent_sha256", String(64), nullable=False),
    Column("versions", Text, nullable=False),  # JSON: package to version
    Column("log", Text, nullable=False, default=""),
    Column("replay", String(64)),  # SHA-256 of the judge's own video, among the classroom's files
    Column("judged_file", String(200)),  # of the repository; NULL before schema 0002
    Column("finished_at", UtcDateTime, nullable=False),
    UniqueConstraint("submission_id", "protocol_version", "batch"),
    *(_bounded(column) for column in ("mean", "std", "score", "low", "high")),
    CheckConstraint("n_episodes >= 1", name="n_episodes"),
    Index(None, "agent_sha256"),
    Index(None, "replay"),
    sqlite_autoincrement=True,
)

episodes = Table(
    "episodes",
    metadata,
    parent("evaluation_id", "evaluations", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("episode_return", Float, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("truncated", Boolean, nullable=False),
    _bounded("episode_return"),
)

# The judge's queue: what is still to be measured. A row goes when its job ends, so an id is never given out twice.

evaluation_jobs = Table(
    "evaluation_jobs",
    metadata,
    number(),
    parent("submission_id", "submissions"),
    Column("turn", Integer, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("free_at", UtcDateTime, nullable=False),  # when somebody may take it: after its delay, or after a lease
    Column("attempts", Integer, nullable=False, default=0),
    Column("token", BigInteger, nullable=False, default=0),  # grows with every claim
    Column("worker", String(128)),  # who has it; None: it waits
    Column("again_at", UtcDateTime),  # asked for once more while it ran
    UniqueConstraint("submission_id"),
    # In the queue's order, with the time, so that jobs that may not be taken yet are passed over in the index.
    Index("ix_evaluation_jobs_order", "turn", "asked_at", "id", "free_at"),
    sqlite_autoincrement=True,
)

# What an agent has played, batch by batch: pooled for its score, and never drawn again.

batches = Table(
    "batches",
    metadata,
    number(),
    Column("agent_sha256", String(64), nullable=False),
    Column("protocol_id", String(64), nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("season", String(32), nullable=False),
    Column("batch", String(32), nullable=False),
    parent("submission_id", "submissions"),  # for which it was played
    Column("score", Float, nullable=False),  # of this batch alone
    Column("games", Text, nullable=False),  # JSON: [return, length, truncated] of each game, in the order of the seeds
    Column("isolation", String(64), nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    _bounded("score"),
    # A name of its own: PostgreSQL cuts off the one that it would get.
    UniqueConstraint("agent_sha256", "protocol_id", "protocol_version", "season", "batch", name="uq_batches_of_agent"),
    sqlite_autoincrement=True,
)

# Judges that work, so that everybody sees whether one does, and how well it is fenced in.

judges = Table(
    "judges",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("isolation", String(64), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("submission_id", Id),  # what it plays
    Column("progress", String(200), nullable=False, default=""),  # how far it is with that, a sentence
)

# Boards: one row a student, the submission that counts. The columns of the order are all ascending, so that one
# comparison of rows finds the next page: verified first, the highest score, the highest mean, the earliest.

standings = Table(
    "standings",
    metadata,
    Column("assignment_id", String(64), ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True),
    Column("source", String(256), primary_key=True),
    Column("student_key", String(LONGEST_KEY), primary_key=True),
    parent("submission_id", "submissions"),
    Column("tier", Integer, nullable=False),  # 0 verified, 1 claimed, 2 without a score
    Column("minus_score", Float, nullable=False),
    Column("minus_mean", Float, nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    Column("algorithm", String(32), nullable=False),
    Column("library", String(64), nullable=False),
    Column("words", Text, nullable=False),  # lower case: what a search looks through
    _bounded("minus_score"),
    _bounded("minus_mean"),
    # In the board's order, with the words, so that a search is answered from the index alone.
    Index(
        "ix_standings_order",
        *("assignment_id", "tier", "minus_score", "minus_mean", "submitted_us", "submission_id", "words"),
    ),
    Index(None, "submission_id"),
    Index(None, "assignment_id", "algorithm"),
    Index(None, "assignment_id", "library"),
)

# Progress

quiz_answers = Table(
    "quiz_answers",
    metadata,
    number(),
    parent("person_id", "people"),
    Column("unit_id", String(64), nullable=False),
    Column("question_id", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("choices", Text, nullable=False),  # JSON: the texts that were chosen
    Column("correct", Boolean, nullable=False),
    created(),
    UniqueConstraint("person_id", "unit_id", "question_id", "attempt"),
    sqlite_autoincrement=True,
)

certificates = Table(
    "certificates",
    metadata,
    Column("code", String(32), primary_key=True),
    parent("person_id", "people"),
    Column("level", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("course", String(128), nullable=False),
    Column("details", Text, nullable=False),  # JSON: the assignments with their scores on that day
    Column("issued_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("revocation", Text, nullable=False, default=""),  # why a teacher revoked it, until another is allowed
    one_of("level", "completion", "excellence"),
    Index(None, "person_id"),
)

# What happened

activities = Table(
    "activities",
    metadata,
    number(),
    Column("kind", String(16), nullable=False),
    Column("assignment_id", String(64)),
    Column("submission_id", Id),
    Column("person_id", Id),
    Column("payload", Text, nullable=False),  # JSON: what anybody may see
    created(),
    one_of("kind", "received", "queued", "running", "scored", "failed", "certified"),
    Index(None, "submission_id"),
    Index(None, "person_id"),
    sqlite_autoincrement=True,
)

audit_entries = Table(
    "audit_entries",
    metadata,
    number(),
    Column("actor_id", Id),
    Column("actor_name", String(LONGEST_KEY), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("class_id", Id),
    Column("details", Text, nullable=False),  # JSON
    created(),
    Index(None, "class_id"),
    sqlite_autoincrement=True,
)

webhooks = Table(
    "webhooks",
    metadata,
    number(),
    parent("owner_id", "people"),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("kinds", Text, nullable=False),  # JSON: the activities that are told
    Column("enabled", Boolean, nullable=False, default=True),
    created(),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    number(),
    parent("webhook_id", "webhooks"),
    parent("activity_id", "activities"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("delivered_at", UtcDateTime),
    Column("last_error", Text),
    Index(None, "delivered_at", "next_attempt_at"),
    Index(None, "webhook_id"),
    Index(None, "activity_id"),
    sqlite_autoincrement=True,
)

# Sources: what is known of each Hub

source_states = Table(
    "source_states",
    metadata,
    Column("source", String(256), primary_key=True),
    Column("env_id", String(128), primary_key=True),  # empty: the Hub as a whole
    Column("newest_modified", UtcDateTime),
    Column("newest_seen", Text, nullable=False, default=""),
    Column("last_success_at", UtcDateTime),
    Column("last_sweep_at", UtcDateTime),
    Column("problem", Text, nullable=False, default=""),
    Column("failures", Integer, nullable=False, default=0),  # since the last success
    Column("pause_until", UtcDateTime),
)

# Grows with every change that a page may show, so that what is kept of pages is known to be out of date.
generations = Table(
    "generations",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
