"""The hard rules H1–H13, one class each, judged on a finished plan. No solver, no search: plain arithmetic on slots."""

from __future__ import annotations

from scheduler.rules.base import Case, Ground, Rule, Violation
from scheduler.rules.communities import CommunityMeetsOnce
from scheduler.rules.courses import CourseIsWhole
from scheduler.rules.needs import OneLeadTeacherPerNeed
from scheduler.rules.partners import PartnersWithinLimits
from scheduler.rules.places import OnePlaceAtATime, ReceivingRoomFree
from scheduler.rules.receivers import ReceiversFitTogether
from scheduler.rules.rooms import LeadRoomCanLead
from scheduler.rules.staff import AssistantsEnough, RemoteLimits
from scheduler.rules.synchronous import HostLessonMatches
from scheduler.rules.teachers import LeadTeacherQualified
from scheduler.rules.window import WindowInsidePeriods

RULES: tuple[type[Rule], ...] = (
    LeadTeacherQualified,
    LeadRoomCanLead,
    OnePlaceAtATime,
    HostLessonMatches,
    WindowInsidePeriods,
    ReceivingRoomFree,
    ReceiversFitTogether,
    OneLeadTeacherPerNeed,
    RemoteLimits,
    PartnersWithinLimits,
    AssistantsEnough,
    CommunityMeetsOnce,
    CourseIsWhole,
)
"""In the order H1 … H13."""

__all__ = ["RULES", "Case", "Ground", "Rule", "Violation"]
