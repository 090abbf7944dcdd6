"""Every table of the store, in one place.

What a county's files bring is keyed by ``(county, code)``: a re-import updates rows in place and marks the missing ones
``retired``, so that lessons already held keep their names. What happens here (plans, occurrences, evidence) has keys of its own.
Instants are UTC, dates and times of day are the county's. Minors: head-counts only, no pupil is named in any column.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. PostgreSQL keeps it as ``timestamptz``, SQLite as UTC without an offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigKey = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        date: Date,
        str: Text,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        bytes: LargeBinary,
    }


def code_column(**options: Any) -> Mapped[Any]:
    return mapped_column(String(64), **options)


# ---------------------------------------------------------------- the organisation and its people


class OrgUnit(Base):
    """A node of the five-level tree (and teaching points below schools). `path` is ``/1/4/9/``: ids from the root."""

    __tablename__ = "org_units"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    level: Mapped[str]  # nation, province, city, county, school, point
    name: Mapped[str]
    path: Mapped[str] = mapped_column(String(255), index=True)
    county: Mapped[str | None] = code_column(index=True)  # set on counties and everything below
    school_code: Mapped[str | None] = code_column()


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    locked_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # contractors
    language: Mapped[str | None] = mapped_column(String(8))
    teacher_county: Mapped[str | None] = code_column()
    teacher_code: Mapped[str | None] = code_column()
    created_at: Mapped[datetime]


class AccountRole(Base):
    """A role held at a node of the tree; it reaches the whole subtree."""

    __tablename__ = "account_roles"
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)  # planner, lead_teacher, auditor, operator
    org_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), primary_key=True)


class Session(Base):
    """A server-side session of a person or of a classroom device; only the hash of the cookie is kept."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64))


class SignInLink(Base):
    """A one-time link to sign in with: printed by the operator, or by the demo."""

    __tablename__ = "sign_in_links"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    reusable: Mapped[bool] = mapped_column(default=False)  # demonstrations only


class Device(Base):
    """A receiving room's device: enrolled once with a printed code, then needs only an assistant's PIN."""

    __tablename__ = "devices"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = code_column(index=True)
    school_code: Mapped[str] = code_column()
    room_code: Mapped[str | None] = code_column()
    name: Mapped[str]
    enrol_code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    enrol_expires_at: Mapped[datetime | None]
    enrolled_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class RoomEncoder(Base):
    """A recording room's encoder: pulled from by RTSP, or pushing by RTMP with a key."""

    __tablename__ = "room_encoders"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = code_column(index=True)
    school_code: Mapped[str] = code_column()
    room_code: Mapped[str] = code_column()
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(8))
    sealed_url: Mapped[bytes | None]
    """The whole address, encrypted: it holds a name and a password."""
    shown_url: Mapped[str] = mapped_column(default="")
    """The address without them."""
    key_digest: Mapped[bytes | None]
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class EncoderUse(Base):
    """A lesson whose lead is an encoder, and which server keeps it on the air until when."""

    __tablename__ = "encoder_uses"
    occurrence_id: Mapped[str] = mapped_column(ForeignKey("occurrences.id"), primary_key=True)
    encoder_id: Mapped[int] = mapped_column(ForeignKey("room_encoders.id"), unique=True)
    since: Mapped[datetime]
    keeper: Mapped[str | None] = mapped_column(String(32))
    kept_until: Mapped[datetime | None]


class Assistant(Base):
    """An assistant teacher of a school, known by a PIN on that school's devices. Not an account."""

    __tablename__ = "assistants"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = code_column(index=True)
    school_code: Mapped[str] = code_column()
    name: Mapped[str]
    pin_hash: Mapped[str]
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


# ---------------------------------------------------------------- the county's files


class County(Base):
    __tablename__ = "counties"
    code: Mapped[str] = code_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"))
    name: Mapped[str]
    term_start: Mapped[date]
    term_end: Mapped[date]
    city: Mapped[str]
    province: Mapped[str]
    curriculum_plan: Mapped[str]
    timezone: Mapped[str]
    needs_given: Mapped[bool]  # needs.csv was there; else they are computed from the curriculum plan
    synthetic: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)  # grows with every accepted import


class ImportRun(Base):
    """An accepted import: what came, from whom, and what it changed."""

    __tablename__ = "import_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), index=True)
    revision: Mapped[int]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    by: Mapped[str]
    rows: Mapped[dict[str, Any]]  # file → number of rows
    changes: Mapped[dict[str, Any]]  # file → {added, changed, removed}


class School(Base):
    __tablename__ = "schools"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    role: Mapped[str]
    bell_code: Mapped[str] = code_column()
    parent_school_code: Mapped[str | None] = code_column()
    township: Mapped[str]
    stages: Mapped[list[Any]]
    uplink_mbps: Mapped[float | None]
    contact_name: Mapped[str]
    contact_phone: Mapped[str]
    org_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    retired: Mapped[bool] = mapped_column(default=False)


class Bell(Base):
    __tablename__ = "bells"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    bell_code: Mapped[str] = code_column(primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    start: Mapped[int]  # minutes since midnight
    end: Mapped[int]
    label: Mapped[str]


class Room(Base):
    __tablename__ = "rooms"
    __table_args__ = (ForeignKeyConstraint(["county", "school_code"], ["schools.county", "schools.code"]),)
    county: Mapped[str] = code_column(primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)
    school_code: Mapped[str] = code_column()
    kind: Mapped[str]
    can_lead: Mapped[bool]
    max_receivers: Mapped[int | None]
    level: Mapped[str]
    custodian_name: Mapped[str]
    custodian_phone: Mapped[str]
    retired: Mapped[bool] = mapped_column(default=False)


class Teacher(Base):
    __tablename__ = "teachers"
    __table_args__ = (ForeignKeyConstraint(["county", "school_code"], ["schools.county", "schools.code"]),)
    county: Mapped[str] = code_column(primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)
    school_code: Mapped[str] = code_column()
    name: Mapped[str]
    subjects: Mapped[dict[str, Any]]  # subject → list of grades, empty where bare
    title: Mapped[str]
    cohorts: Mapped[list[Any]]
    max_remote_per_week: Mapped[int | None]
    max_remote_per_day: Mapped[int | None]
    retired: Mapped[bool] = mapped_column(default=False)


class SchoolClass(Base):
    __tablename__ = "classes"
    __table_args__ = (ForeignKeyConstraint(["county", "school_code"], ["schools.county", "schools.code"]),)
    county: Mapped[str] = code_column(primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)
    school_code: Mapped[str] = code_column()
    grades: Mapped[list[Any]]
    size: Mapped[int]
    receiving_room_code: Mapped[str | None] = code_column()
    editions: Mapped[dict[str, Any]]
    retired: Mapped[bool] = mapped_column(default=False)


class LocalLesson(Base):
    __tablename__ = "local_lessons"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)  # data row in lessons.csv, the first is 1
    school_code: Mapped[str] = code_column()
    class_codes: Mapped[list[Any]]
    subject: Mapped[str]
    weekday: Mapped[int]
    period: Mapped[str] = mapped_column(String(16))
    teacher_code: Mapped[str | None] = code_column()
    room_code: Mapped[str | None] = code_column()
    weeks: Mapped[int]
    __table_args__ = (Index("ix_local_lessons_school", "county", "school_code"),)


class Unavailability(Base):
    __tablename__ = "unavailabilities"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[str]
    code: Mapped[str] = code_column()
    weekdays: Mapped[list[Any]]
    period: Mapped[str] = mapped_column(String(16))  # empty where start and end are given
    start: Mapped[int | None]
    end: Mapped[int | None]
    weeks: Mapped[int]
    reason: Mapped[str]


class CurriculumHours(Base):
    __tablename__ = "curriculum_hours"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    plan_code: Mapped[str] = code_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    grade: Mapped[int] = mapped_column(primary_key=True)
    halves: Mapped[int]  # weekly lessons × 2


class Need(Base):
    __tablename__ = "needs"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    class_code: Mapped[str] = code_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    halves: Mapped[int]  # weekly lessons × 2
    priority: Mapped[int]


class Community(Base):
    __tablename__ = "communities"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)
    name: Mapped[str]
    subject: Mapped[str]
    stage: Mapped[str]
    host_teacher_code: Mapped[str] = code_column()
    member_teacher_codes: Mapped[list[Any]]
    weeks: Mapped[int]
    length_min: Mapped[int]
    min_attendance_pct: Mapped[float]


class NetworkCourse(Base):
    __tablename__ = "network_courses"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)
    title: Mapped[str]
    subject: Mapped[str]
    grades: Mapped[list[Any]]
    lead_teacher_code: Mapped[str] = code_column()
    halves: Mapped[int]
    audience_class_codes: Mapped[list[Any]]
    length_min: Mapped[int | None]


class Pairing(Base):
    """An agreement that stands: from the files, or made by the planner."""

    __tablename__ = "pairings"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    lead_school_code: Mapped[str] = code_column(primary_key=True)
    receive_school_code: Mapped[str] = code_column(primary_key=True)
    subjects: Mapped[list[Any]]
    locked: Mapped[bool]


class CalendarDay(Base):
    __tablename__ = "calendar_days"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str]  # holiday, makeup, exam, closed
    follows_weekday: Mapped[int | None]
    note: Mapped[str]


class PolicyValue(Base):
    __tablename__ = "policy_values"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str]


class PolicyOverride(Base):
    """A policy value that a planner set here: it holds over the file's, and no import touches it."""

    __tablename__ = "policy_overrides"
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int]
    by: Mapped[str]
    at: Mapped[datetime]


# ---------------------------------------------------------------- plans


class PlanRun(Base):
    """One run of the planner: queued, running, stopping, done or failed.

    Whoever works on it is its owner and raises `beat` again and again; an owner whose beat stands still has lost the run.
    """

    __tablename__ = "plan_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), index=True)
    county_revision: Mapped[int]
    state: Mapped[str]
    seed: Mapped[int]
    time_limit: Mapped[int]  # seconds
    deterministic: Mapped[bool] = mapped_column(default=False)
    previous_id: Mapped[int | None]  # the version it builds on
    hypothesis: Mapped[list[Any] | None]  # what-if: the suppositions under which it plans (rooms.planning.hypothesis)
    started_at: Mapped[datetime]  # asked for
    began_at: Mapped[datetime | None]  # taken up, for the last time
    ended_at: Mapped[datetime | None]
    by: Mapped[str]
    by_role: Mapped[str] = mapped_column(default="")
    owner: Mapped[str | None]  # the worker; None while the run waits for one
    attempt: Mapped[int] = mapped_column(default=0)  # how often a worker took it up
    beat: Mapped[int] = mapped_column(default=0)
    progress: Mapped[dict[str, Any]]  # phase, served, bound, unmet
    best: Mapped[bytes | None] = mapped_column(deferred=True)  # the best meetings so far, while it goes on
    plan_id: Mapped[int | None]
    problem_code: Mapped[str | None]  # why it failed or was cut short, a code of the catalogue
    problem_facts: Mapped[dict[str, Any]]


class PlanVersion(Base):
    __tablename__ = "plan_versions"
    __table_args__ = (UniqueConstraint("county", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), index=True)
    number: Mapped[int]  # 1, 2, 3 … within the county
    state: Mapped[str]  # draft, published, superseded; what_if (of a supposed county, never published), discarded
    origin: Mapped[str] = mapped_column(
        String(16), default="run", server_default="run"
    )  # run, repair, hand, what_if, roll_over
    hypothesis: Mapped[list[Any] | None]  # what was supposed of the county; kept when a what-if is adopted
    classes: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)  # code → [school, [grades]] as it was planned
    county_revision: Mapped[int]
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("plan_versions.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None]
    effective_from: Mapped[date | None]
    summary: Mapped[dict[str, Any]]  # summary.json


class MeetingColumns:
    """What a weekly meeting is, but for its code."""

    family: Mapped[str]
    ref: Mapped[str] = code_column()
    subject: Mapped[str]
    lead_teacher_code: Mapped[str] = code_column()
    lead_room_code: Mapped[str] = code_column()
    weekday: Mapped[int]
    start: Mapped[int]
    end: Mapped[int]
    weeks: Mapped[int]
    class_codes: Mapped[list[Any]]
    member_codes: Mapped[list[Any]]
    host_lesson: Mapped[int | None]


class PlanMeeting(MeetingColumns, Base):
    __tablename__ = "plan_meetings"
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan_versions.id"), primary_key=True)
    code: Mapped[str] = code_column(primary_key=True)


class PlanPairing(Base):
    __tablename__ = "plan_pairings"
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan_versions.id"), primary_key=True)
    lead_school_code: Mapped[str] = code_column(primary_key=True)
    receive_school_code: Mapped[str] = code_column(primary_key=True)
    subjects: Mapped[list[Any]]


class PlanUnmet(Base):
    __tablename__ = "plan_unmet"
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan_versions.id"), primary_key=True)
    class_code: Mapped[str] = code_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    missing_halves: Mapped[int]
    reason: Mapped[str]
    facts: Mapped[dict[str, Any]]


class Circumstance(Base):
    """What happened since the files (`rooms.planning.circumstances`). In force until it is lifted or its last day is over."""

    __tablename__ = "circumstances"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), index=True)
    kind: Mapped[str] = mapped_column(String(32))  # teacher_away, room_closed, school_closed, bell_changed, need_added
    code: Mapped[str] = code_column()
    from_date: Mapped[date]
    until_date: Mapped[date | None]  # None: for good, which makes it a part of the weekly problem
    weekdays: Mapped[list[Any]]
    period: Mapped[str] = mapped_column(String(16))  # empty where start and end are given, or for the whole day
    start: Mapped[int | None]
    end: Mapped[int | None]
    weeks: Mapped[int]
    bell_code: Mapped[str] = code_column()
    subject: Mapped[str] = mapped_column(String(64))
    halves: Mapped[int]
    priority: Mapped[int]
    reason: Mapped[str]
    effects: Mapped[list[Any]]  # of a dated one: what it did to which lesson, for lifting it
    by: Mapped[str]
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class MeetingLock(MeetingColumns, Base):
    """A weekly meeting that must stand in every plan, by value, so that it survives planning anew."""

    __tablename__ = "meeting_locks"
    id: Mapped[int] = mapped_column(primary_key=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), index=True)
    origin: Mapped[str] = mapped_column(String(16))  # manual, automatic
    overrides: Mapped[list[Any]]  # rules that somebody overrode to place it anyway: H3, H9 …
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    code: Mapped[str] = code_column()


class RepairDraft(Base):
    """A repair that was shown and not yet accepted. `stamp` is what it was computed from; anything newer makes it worthless."""

    __tablename__ = "repair_drafts"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # uuid4 hex
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"), index=True)
    standing_id: Mapped[int] = mapped_column(ForeignKey("plan_versions.id"))
    stamp: Mapped[dict[str, Any]]
    made: Mapped[dict[str, Any]]  # the change and the repaired plan
    by: Mapped[str]
    at: Mapped[datetime]
    expires_at: Mapped[datetime]


# ---------------------------------------------------------------- what happens


class Occurrence(Base):
    """A dated lesson. States: planned → ready → live → ended → judged; or cancelled."""

    __tablename__ = "occurrences"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # uuid4 hex
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan_versions.id"))  # None: added by hand
    meeting_code: Mapped[str | None] = code_column()
    family: Mapped[str]
    kind: Mapped[str]  # lesson, observation, seminar, contest, lecture, qa, in_school_live, rehearsal
    ref: Mapped[str] = code_column()
    title: Mapped[str]
    subject: Mapped[str]
    day: Mapped[date]  # the county's date
    week: Mapped[int]  # term week, the first is 1
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    lead_school_code: Mapped[str] = code_column()
    lead_teacher_code: Mapped[str] = code_column()
    lead_room_code: Mapped[str] = code_column()
    state: Mapped[str]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    shift_seconds: Mapped[int] = mapped_column(default=0)
    cancel_reason: Mapped[str | None]
    cancel_note: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    replaces_id: Mapped[str | None] = mapped_column(ForeignKey("occurrences.id"), index=True)  # a make-up lesson
    __table_args__ = (
        Index("ix_occurrences_county_day", "county", "day"),
        Index("ix_occurrences_teacher", "county", "lead_teacher_code", "day"),
        Index("ix_occurrences_state", "state", "ends_at"),
    )


class OccurrenceSide(Base):
    """One side of a lesson: the lead, a receiving class, or a community member. Its id is the peer id of the live room."""

    __tablename__ = "occurrence_sides"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # uuid4 hex
    occurrence_id: Mapped[str] = mapped_column(ForeignKey("occurrences.id"), index=True)
    side: Mapped[str]  # lead, receiver, member
    county: Mapped[str] = code_column()
    school_code: Mapped[str] = code_column()
    class_code: Mapped[str | None] = code_column()
    teacher_code: Mapped[str | None] = code_column()
    room_code: Mapped[str | None] = code_column()
    expected: Mapped[int] = mapped_column(default=0)  # head-count of the class list
    excuse_reason: Mapped[str | None]  # accepted reason: system_fault, device_fault, power, network, teacher_leave, …
    excuse_note: Mapped[str | None]
    excused_at: Mapped[datetime | None]
    excused_by: Mapped[str | None]
    __table_args__ = (Index("ix_occurrence_sides_school", "county", "school_code"),)


class EvidenceEvent(Base):
    """Append-only. A side's evidence, stored exactly once by its `event_id`, acknowledged after commit."""

    __tablename__ = "evidence_events"
    seq: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    occurrence_id: Mapped[str] = mapped_column(ForeignKey("occurrences.id"), index=True)
    side_id: Mapped[str | None] = mapped_column(ForeignKey("occurrence_sides.id"), index=True)
    kind: Mapped[
        str
    ]  # opened, closed, connected, disconnected, slot, sign_in, sign_out, head_count, self_test, hand, floor …
    at: Mapped[datetime]
    until: Mapped[datetime | None]  # the end of a slot
    received_at: Mapped[datetime]
    source: Mapped[str]  # relay, page, device, person
    by: Mapped[str]
    late: Mapped[bool] = mapped_column(Boolean, default=False)
    data: Mapped[dict[str, Any]]


class Verdict(Base):
    """What a side's evidence amounts to; recomputable from the evidence alone."""

    __tablename__ = "verdicts"
    side_id: Mapped[str] = mapped_column(ForeignKey("occurrence_sides.id"), primary_key=True)
    occurrence_id: Mapped[str] = mapped_column(ForeignKey("occurrences.id"), index=True)
    verdict: Mapped[str]  # VALID, INVALID, EXCUSED, UNEXCUSED, UNJUDGED
    reason: Mapped[str]  # a code of the verdict catalogue
    presence_seconds: Mapped[int]  # inside the window
    common_seconds: Mapped[int]  # together with the lead, inside the window
    required_seconds: Mapped[int]
    intervals: Mapped[list[Any]]  # [[start, end], …] ISO instants
    gaps: Mapped[list[Any]]
    late: Mapped[bool]
    early_leave: Mapped[bool]
    head_count: Mapped[int | None]
    rules: Mapped[str]  # id of the rule set
    rules_sha256: Mapped[str] = mapped_column(String(64))
    judged_at: Mapped[datetime]


class Recording(Base):
    """A recording of a lesson; its id names its folder. Removed in two steps (withdrawn, then deleted); the row stays."""

    __tablename__ = "recordings"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # uuid4 hex
    occurrence_id: Mapped[str] = mapped_column(ForeignKey("occurrences.id"), index=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"))
    state: Mapped[str] = mapped_column(String(16))  # recording, complete, partial
    reason: Mapped[str | None] = mapped_column(String(16))  # why partial: disk_full, disk_error, too_slow, …
    started_at: Mapped[datetime]  # its time 0
    started_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int] = mapped_column(default=0)
    octets: Mapped[int] = mapped_column(BigInteger, default=0)
    keep_until: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_why: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_recordings_county", "county", "started_at"),
        Index("ix_recordings_state", "state", "keep_until"),
    )


class FeedToken(Base):
    """The address of a calendar to subscribe to; only the hash of its token is kept."""

    __tablename__ = "feed_tokens"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    county: Mapped[str] = mapped_column(ForeignKey("counties.code"))
    kind: Mapped[str] = mapped_column(String(16))  # teacher, school, room
    code: Mapped[str] = code_column()
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_feed_tokens_of", "county", "kind", "code"),)


# ---------------------------------------------------------------- the audit log


class AuditLeaf(Base):
    """An entry of the RFC 6962 log: canonical bytes and their leaf hash. UPDATE and DELETE are refused by triggers."""

    __tablename__ = "audit_leaves"
    index: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    county: Mapped[str | None] = code_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str] = mapped_column(String(64))
    object: Mapped[str] = mapped_column(index=True)
    canonical: Mapped[bytes]
    leaf_hash: Mapped[bytes]
    __table_args__ = (Index("ix_audit_leaves_county_action", "county", "action"),)


class AuditPersonal(Base):
    """The opening of a salted commitment in a leaf; erasing the row keeps the proof and loses the person."""

    __tablename__ = "audit_personal"
    leaf_index: Mapped[int] = mapped_column(ForeignKey("audit_leaves.index"), primary_key=True)
    field: Mapped[str] = mapped_column(String(64), primary_key=True)
    salt: Mapped[bytes]
    value: Mapped[str]


class AuditHead(Base):
    """One row: the size of the log and the right edge of its tree. Locked by whoever appends."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigKey)
    edge: Mapped[list[Any]]  # hex hashes of the perfect subtrees, largest first


class AuditCheckpoint(Base):
    """A signed note in C2SP tlog-checkpoint form."""

    __tablename__ = "audit_checkpoints"
    size: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    signed_at: Mapped[datetime]
