"""A county in the words of FET, the free timetabler, as far as its file format can carry it. Only the bench uses it.

FET knows one week of days and hours, and places every activity it is given. So lead periods that begin at about the same time are
one hour, and the hours an activity may have are those in which all its parties are free in minutes. What cannot be said: that
hours of two schools overlap in minutes, who should teach whom and who should sit together (taken over from the greedy), that two
half-week lessons may share an hour, assistants, limits of partners, and that some lessons may be left out.
"""

from __future__ import annotations

CANNOT = (
    "bells in minutes",
    "choice of teacher and partners",
    "choice of joint receivers",
    "odd and even weeks",
    "assistants",
    "partial plans",
)
"""What FET's format does not carry."""
