"""The ``.fet`` file: activities, when and where they may be, and who cannot be twice at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as Xml

from scheduler.fet.activities import Activity, Hour, bands, held_names
from scheduler.offers import Offers
from scheduler.problem import RoomCode, Slot


def document(offers: Offers, activities: Sequence[Activity]) -> str:
    """The ``.fet`` file of these activities."""
    problem = offers.problem
    root = Xml.Element("fet", version="6.8.5")
    _say(root, "Institution_Name", problem.code)
    leading = [school for school in problem.schools.values() if school.leads]
    _names(root, "Days", "Day", map(str, sorted({weekday for school in leading for weekday in school.periods})))
    _names(root, "Hours", "Hour", map(str, sorted(set(bands(offers).values()))))
    _list(
        root, "Subjects", "Subject", sorted({offers.wants[activity.needs[0]].need.subject for activity in activities})
    )
    _list(
        root, "Teachers", "Teacher", sorted({name for activity in activities for name in held_names(offers, activity)})
    )
    _list(root, "Students", "Year", sorted({offers.wants[n].need.school_class for a in activities for n in a.needs}))
    _activities(Xml.SubElement(root, "Activities_List"), offers, activities)
    leads = {problem.teachers[activity.teacher].school for activity in activities}
    rooms = sorted(room for school in leads for room in offers.leadable[school])
    _list(root, "Rooms", "Room", rooms, Capacity="30000", Virtual="false")
    times = Xml.SubElement(root, "Time_Constraints_List")
    _constraint(times, "BasicCompulsoryTime")
    _time_constraints(times, offers, activities)
    space = Xml.SubElement(root, "Space_Constraints_List")
    _constraint(space, "BasicCompulsorySpace")
    _space_constraints(space, offers, activities, rooms)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _say(parent: Xml.Element, name: str, text: object) -> None:
    Xml.SubElement(parent, name).text = str(text)


def _names(root: Xml.Element, plural: str, single: str, names: Iterable[str]) -> None:
    listed = Xml.SubElement(root, f"{plural}_List")
    names = list(names)
    _say(listed, f"Number_of_{plural}", len(names))
    for name in names:
        _say(Xml.SubElement(listed, single), "Name", name)


def _list(root: Xml.Element, plural: str, single: str, names: Iterable[str], **more: str) -> None:
    listed = Xml.SubElement(root, f"{plural}_List")
    for name in names:
        one = Xml.SubElement(listed, single)
        _say(one, "Name", name)
        for key, value in more.items():
            _say(one, key, value)


def _activities(listed: Xml.Element, offers: Offers, activities: Iterable[Activity]) -> None:
    for activity in activities:
        one = Xml.SubElement(listed, "Activity")
        for name in held_names(offers, activity):
            _say(one, "Teacher", name)
        _say(one, "Subject", offers.wants[activity.needs[0]].need.subject)
        for need in activity.needs:
            _say(one, "Students", offers.wants[need].need.school_class)
        for key, value in (
            ("Duration", 1),
            ("Total_Duration", 1),
            ("Id", activity.number),
            ("Activity_Group_Id", 0),
            ("Active", "true"),
        ):
            _say(one, key, value)


def _constraint(listed: Xml.Element, name: str) -> Xml.Element:
    """A hard constraint, ready for its details."""
    one = Xml.SubElement(listed, f"Constraint{name}")
    _say(one, "Weight_Percentage", 100)
    _say(one, "Active", "true")
    return one


def _time_constraints(listed: Xml.Element, offers: Offers, activities: Sequence[Activity]) -> None:
    for activity in activities:
        one = _constraint(listed, "ActivityPreferredStartingTimes")
        _say(one, "Activity_Id", activity.number)
        _say(one, "Number_of_Preferred_Starting_Times", len(activity.spots))
        for weekday, period in activity.spots:
            time = Xml.SubElement(one, "Preferred_Starting_Time")
            _say(time, "Preferred_Starting_Day", weekday)
            _say(time, "Preferred_Starting_Hour", period)
    for teacher in sorted({activity.teacher for activity in activities}):
        one = _constraint(listed, "TeacherMaxHoursDaily")
        _say(one, "Teacher_Name", teacher)
        _say(one, "Maximum_Hours_Daily", max(1, offers.problem.teachers[teacher].day_limit))
    if offers.problem.policy.one_lesson_per_day:
        _days_apart(listed, activities)


def _days_apart(listed: Xml.Element, activities: Iterable[Activity]) -> None:
    """H8: the lessons of one need on different days."""
    of_need: dict[int, list[int]] = defaultdict(list)
    for activity in activities:
        for need in activity.needs:
            of_need[need].append(activity.number)
    for numbers in sorted({tuple(numbers) for numbers in of_need.values() if len(numbers) > 1}):
        one = _constraint(listed, "MinDaysBetweenActivities")
        _say(one, "Consecutive_If_Same_Day", "false")
        _say(one, "Number_of_Activities", len(numbers))
        for number in numbers:
            _say(one, "Activity_Id", number)
        _say(one, "MinDays", 1)


def _space_constraints(
    listed: Xml.Element, offers: Offers, activities: Iterable[Activity], rooms: Iterable[RoomCode]
) -> None:
    policy = offers.problem.policy
    for activity in activities:
        school = offers.problem.teachers[activity.teacher].school
        large = [
            room
            for room in offers.leadable[school]
            if (offers.problem.rooms[room].max_receivers or policy.max_receivers) >= len(activity.needs)
        ]
        one = _constraint(listed, "ActivityPreferredRooms")
        _say(one, "Activity_Id", activity.number)
        _say(one, "Number_of_Preferred_Rooms", len(large))
        for room in large:
            _say(one, "Preferred_Room", room)
    for room in rooms:
        taken = _taken(offers, room)
        if taken:
            one = _constraint(listed, "RoomNotAvailableTimes")
            _say(one, "Room", room)
            _say(one, "Number_of_Not_Available_Times", len(taken))
            for weekday, period in taken:
                time = Xml.SubElement(one, "Not_Available_Time")
                _say(time, "Day", weekday)
                _say(time, "Hour", period)


def _taken(offers: Offers, room: RoomCode) -> list[Hour]:
    """Hours in which local lessons and absences hold a lead room."""
    grid, school = offers.grid, offers.problem.schools[offers.problem.rooms[room].school]
    hours = bands(offers)
    return [
        (weekday, hours[period[0]])
        for weekday, periods in school.periods.items()
        for period in periods
        if grid.room_busy[room] & grid.mask(Slot(weekday, *period))
    ]
