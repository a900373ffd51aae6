"""The first schema."""

import sqlalchemy as sa
from alembic import op

from rl_hub.database.columns import UtcDateTime

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates every table."""
    op.create_table(
        "activities",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("assignment_id", sa.String(length=64), nullable=True),
        sa.Column("submission_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('received', 'queued', 'running', 'scored', 'failed', 'certified')",
            name=op.f("ck_activities_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_activities_person_id"), "activities", ["person_id"], unique=False)
    op.create_index(op.f("ix_activities_submission_id"), "activities", ["submission_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("counting", sa.String(length=8), nullable=False),
        sa.Column("quota_per_day", sa.Integer(), nullable=True),
        sa.Column("frozen_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("counting IN ('best', 'latest', 'declared')", name=op.f("ck_assignments_counting")),
        sa.CheckConstraint("quota_per_day >= 0", name=op.f("ck_assignments_quota_per_day")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("actor_name", sa.String(length=96), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("class_id", ID, nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_entries_class_id"), "audit_entries", ["class_id"], unique=False)
    op.create_table(
        "classes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "departures",
        sa.Column("student", sa.String(length=64), nullable=False),
        sa.Column("departed_at", UtcDateTime(), nullable=False),
        sa.Column("returned_at", UtcDateTime(), nullable=True),
        sa.Column("retracted", sa.Text(), nullable=False),
        sa.Column("reviews", sa.Text(), nullable=False),
        sa.Column("used", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("student", name=op.f("pk_departures")),
    )
    op.create_table(
        "generations",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_generations")),
    )
    op.create_table(
        "people",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("issuer", sa.String(length=256), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("source", sa.String(length=256), nullable=True),
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=True),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("is_appointed", sa.Boolean(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('student', 'teacher', 'admin')", name=op.f("ck_people_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_people_issuer_subject")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_people_source_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_people_key"), "people", ["key"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_ins")),
    )
    op.create_table(
        "source_states",
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("env_id", sa.String(length=128), nullable=False),
        sa.Column("newest_modified", UtcDateTime(), nullable=True),
        sa.Column("newest_seen", sa.Text(), nullable=False),
        sa.Column("last_success_at", UtcDateTime(), nullable=True),
        sa.Column("last_sweep_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("pause_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("source", "env_id", name=op.f("pk_source_states")),
    )
    op.create_table(
        "certificates",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("course", sa.String(length=128), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revocation", sa.Text(), nullable=False),
        sa.CheckConstraint("level IN ('completion', 'excellence')", name=op.f("ck_certificates_level")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_certificates_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_certificates")),
    )
    op.create_index(op.f("ix_certificates_person_id"), "certificates", ["person_id"], unique=False)
    op.create_table(
        "deadlines",
        sa.Column("class_id", ID, nullable=False),
        sa.Column("assignment_id", sa.String(length=64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.id"], name=op.f("fk_deadlines_assignment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_deadlines_class_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("class_id", "assignment_id", name=op.f("pk_deadlines")),
    )
    op.create_table(
        "invitations",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('student', 'teacher')", name=op.f("ck_invitations_role")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_invitations_class_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_class_id"), "invitations", ["class_id"], unique=False)
    op.create_table(
        "members",
        sa.Column("class_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('student', 'teacher')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_members_class_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_members_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("class_id", "person_id", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_person_id"), "members", ["person_id"], unique=False)
    op.create_table(
        "quiz_answers",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("question_id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_quiz_answers_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_answers")),
        sa.UniqueConstraint(
            "person_id",
            "unit_id",
            "question_id",
            "attempt",
            name=op.f("uq_quiz_answers_person_id_unit_id_question_id_attempt"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("repo_id", sa.String(length=200), nullable=False),
        sa.Column("repo_key", sa.String(length=200), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("assignment_id", sa.String(length=64), nullable=False),
        sa.Column("env_id", sa.String(length=128), nullable=False),
        sa.Column("student_name", sa.String(length=96), nullable=False),
        sa.Column("student_key", sa.String(length=96), nullable=False),
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("library", sa.String(length=64), nullable=False),
        sa.Column("claimed_mean", sa.Float(), nullable=True),
        sa.Column("claimed_std", sa.Float(), nullable=True),
        sa.Column("claimed_score", sa.Float(), nullable=True),
        sa.Column("claimed_episodes", sa.Integer(), nullable=True),
        sa.Column("claim_problem", sa.Text(), nullable=False),
        sa.Column("has_replay", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("declared_at", UtcDateTime(), nullable=True),
        sa.Column("over_quota", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.Column("retracted_at", UtcDateTime(), nullable=True),
        sa.Column("retraction", sa.Text(), nullable=False),
        sa.Column("review", sa.String(length=8), nullable=False),
        sa.Column("evaluation_id", ID, nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'queued', 'running', 'scored', 'failed')", name=op.f("ck_submissions_state")
        ),
        sa.CheckConstraint("review IN ('', 'required', 'pending')", name=op.f("ck_submissions_review")),
        sa.CheckConstraint(
            "claimed_mean BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_submissions_claimed_mean")
        ),
        sa.CheckConstraint(
            "claimed_score BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_submissions_claimed_score")
        ),
        sa.CheckConstraint(
            "claimed_std BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_submissions_claimed_std")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.id"], name=op.f("fk_submissions_assignment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint(
            "source", "repo_key", "sha", "assignment_id", name=op.f("uq_submissions_source_repo_key_sha_assignment_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_submissions_assignment_id_state"), "submissions", ["assignment_id", "state"], unique=False)
    op.create_index(
        op.f("ix_submissions_source_student_key_assignment_id"),
        "submissions",
        ["source", "student_key", "assignment_id"],
        unique=False,
    )
    op.create_table(
        "tokens",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("role IN ('read', 'write')", name=op.f("ck_tokens_role")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tokens_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tokens_person_id"), "tokens", ["person_id"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_webhooks_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_deliveries_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_deliveries_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_deliveries_activity_id"), "deliveries", ["activity_id"], unique=False)
    op.create_index(
        op.f("ix_deliveries_delivered_at_next_attempt_at"),
        "deliveries",
        ["delivered_at", "next_attempt_at"],
        unique=False,
    )
    op.create_index(op.f("ix_deliveries_webhook_id"), "deliveries", ["webhook_id"], unique=False)
    op.create_table(
        "batches",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("agent_sha256", sa.String(length=64), nullable=False),
        sa.Column("protocol_id", sa.String(length=64), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("season", sa.String(length=32), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("submission_id", ID, nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("games", sa.Text(), nullable=False),
        sa.Column("isolation", sa.String(length=64), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("score BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_batches_score")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_batches_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint(
            "agent_sha256",
            "protocol_id",
            "protocol_version",
            "season",
            "batch",
            name=op.f("uq_batches_of_agent"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "judges",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("isolation", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("submission_id", ID, nullable=True),
        sa.Column("progress", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_judges")),
    )
    op.create_table(
        "evaluation_jobs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("submission_id", ID, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("free_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(length=128), nullable=True),
        sa.Column("again_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_evaluation_jobs_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_jobs")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_evaluation_jobs_submission_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evaluation_jobs_order", "evaluation_jobs", ["turn", "asked_at", "id", "free_at"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("submission_id", ID, nullable=False),
        sa.Column("protocol_id", sa.String(length=64), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("std", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("n_episodes", sa.Integer(), nullable=False),
        sa.Column("n_truncated", sa.Integer(), nullable=False),
        sa.Column("isolation", sa.String(length=64), nullable=False),
        sa.Column("agent_sha256", sa.String(length=64), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("replay", sa.String(length=64), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("high BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_evaluations_high")),
        sa.CheckConstraint("low BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_evaluations_low")),
        sa.CheckConstraint("mean BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_evaluations_mean")),
        sa.CheckConstraint("n_episodes >= 1", name=op.f("ck_evaluations_n_episodes")),
        sa.CheckConstraint("score BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_evaluations_score")),
        sa.CheckConstraint("std BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_evaluations_std")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_evaluations_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint(
            "submission_id",
            "protocol_version",
            "batch",
            name=op.f("uq_evaluations_submission_id_protocol_version_batch"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_evaluations_agent_sha256"), "evaluations", ["agent_sha256"], unique=False)
    op.create_index(op.f("ix_evaluations_replay"), "evaluations", ["replay"], unique=False)
    op.create_table(
        "standings",
        sa.Column("assignment_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("student_key", sa.String(length=96), nullable=False),
        sa.Column("submission_id", ID, nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("minus_score", sa.Float(), nullable=False),
        sa.Column("minus_mean", sa.Float(), nullable=False),
        sa.Column("submitted_us", sa.BigInteger(), nullable=False),
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("library", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint("minus_mean BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_standings_minus_mean")),
        sa.CheckConstraint(
            "minus_score BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_standings_minus_score")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.id"], name=op.f("fk_standings_assignment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_standings_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("assignment_id", "source", "student_key", name=op.f("pk_standings")),
    )
    op.create_index(
        op.f("ix_standings_assignment_id_algorithm"), "standings", ["assignment_id", "algorithm"], unique=False
    )
    op.create_index(op.f("ix_standings_assignment_id_library"), "standings", ["assignment_id", "library"], unique=False)
    op.create_index(
        "ix_standings_order",
        "standings",
        ["assignment_id", "tier", "minus_score", "minus_mean", "submitted_us", "submission_id", "words"],
        unique=False,
    )
    op.create_index(op.f("ix_standings_submission_id"), "standings", ["submission_id"], unique=False)
    op.create_table(
        "episodes",
        sa.Column("evaluation_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("episode_return", sa.Float(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "episode_return BETWEEN -1000000000000 AND 1000000000000", name=op.f("ck_episodes_episode_return")
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_episodes_evaluation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "number", name=op.f("pk_episodes")),
    )
