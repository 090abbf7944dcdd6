"""Writes the made-up county: ``python -m config.demo.make [FOLDER]``. The same seed writes the same files.

The term begins on Monday 7 September 2026; who loads the county moves all its dates by whole weeks. There is no ``needs.csv``:
the needs follow from the curriculum plan and the local lessons.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from config.demo import COUNTY
from config.demo.places import BELLS, GIVEN, HOURS, PLACES, SURNAMES, Place
from config.demo.timetable import Slot, Timetable, Unit

SEED = 20260907
TERM_START = date(2026, 9, 7)
WEEKS = 20
RESEARCH: dict[str, tuple[int, int]] = {
    "chinese": (3, 6),
    "maths": (4, 6),
    "music": (2, 6),
    "art": (2, 6),
    "english": (5, 5),
}
"""Subject → the weekday and first period of its weekly research meeting in the county seat."""
MAX_LOAD = {"strong": 15, "junior": 16, "central_primary": 17, "village_primary": 22, "teaching_point": 30}
Row = Sequence[object]


class Maker:
    """Collects the rows of every file."""

    def __init__(self) -> None:
        self.random = Random(SEED)  # noqa: S311 - a made-up timetable, not a secret
        self.rows: dict[str, list[Row]] = {}
        self.names = iter(self._names())
        self.teachers = 0
        self.by_subject: dict[tuple[str, str], list[str]] = {}
        """(school, subject) → its teachers."""

    def _names(self) -> list[str]:
        names = [surname + given for surname in SURNAMES for given in GIVEN]
        self.random.shuffle(names)
        return names

    def add(self, file: str, *cells: object) -> None:
        self.rows.setdefault(file, []).append(cells)

    def make(self) -> None:
        self._county()
        for number, place in enumerate(PLACES):
            self._school(place, number)
        self._gatherings()
        self._calendar()

    def _county(self) -> None:
        end = TERM_START + timedelta(weeks=WEEKS, days=-3)
        self.add("county", "DEMO", "清溪县·虚构演示", TERM_START, end, "虚构市", "虚构省", "P2022", "Asia/Shanghai")
        for code, (label, periods) in BELLS.items():
            for number, window in enumerate(periods, 1):
                start, end_of = window.split("-")
                days = "1-4" if number == 7 else "1-5"
                self.add("bells", code, days, number, start, end_of, f"{label}第{number}节")
        for subject, hours in HOURS.items():
            for grade, lessons in enumerate(hours, 1):
                if lessons:
                    self.add("curriculum", "P2022", subject, grade, lessons)
        for key, value in (("require_assistant", 1), ("max_remote_per_week", 5), ("max_remote_per_day", 2)):
            self.add("policy", key, value)

    def _school(self, place: Place, number: int) -> None:
        contact, phone = next(self.names), f"000-0000-{number + 1:04}"
        self.add(
            "schools", place.code, place.name, place.kind, place.role, place.bell, place.parent, place.township,
            place.stages, place.mbps, contact, phone,
        )  # fmt: skip
        rooms = self._rooms(place, number)
        classes = self._classes(place, rooms)
        wanted = self._wanted(place, classes)
        units, staff = self._staff(place, wanted)
        away = self._away(place, staff)
        slots = [(day, period) for day in range(1, 6) for period in range(1, 8) if (day, period) != (5, 7)]
        filled = Timetable(slots, self.random, away, not place.leads).fill(units)
        for (group, (day, period)), unit in sorted(filled.items(), key=lambda item: (item[0][0], item[0][1])):
            self.add("lessons", place.code, group, unit.subject, day, period, unit.teacher, "", "all")

    def _rooms(self, place: Place, number: int) -> list[str]:
        found = []
        kinds = ["recording"] * place.recording + ["receiving"] * place.receiving
        for index, kind in enumerate(kinds, 1):
            code, phone = f"{place.code}-R{index}", f"000-0000-{1000 + number * 10 + index}"
            custodian = "" if place.code == "V06" else next(self.names)
            lead = kind == "recording"
            self.add("rooms", code, place.code, kind, int(lead), 3 if lead else "", "L3" if lead else "L1", custodian, phone if custodian else "")  # fmt: skip
            if not lead:
                found.append(code)
        return found

    def _classes(self, place: Place, rooms: list[str]) -> list[tuple[str, tuple[int, ...]]]:
        """Classes with their grades; the receiving rooms are shared in turn."""
        sizes = {"strong": (42, 50), "junior": (40, 48), "central_primary": (28, 40), "village_primary": (8, 22)}
        low, high = sizes.get(place.kind, (4, 7))
        found = []
        for index, grades in enumerate(place.grades, 1):
            code = f"{place.code}-{index:02}"
            room = rooms[index % len(rooms)] if rooms else ""
            written = "+".join(map(str, grades))
            self.add("classes", code, place.code, written, self.random.randint(low, high), room, place.editions)
            found.append((code, grades))
        return found

    def _wanted(self, place: Place, classes: list[tuple[str, tuple[int, ...]]]) -> list[tuple[str, str, int]]:
        """(class, subject, lessons a week) that the school teaches itself."""
        found = []
        for code, grades in classes:
            for subject, hours in HOURS.items():
                asked = max(hours[grade - 1] for grade in grades)
                taught = max(0, asked - place.lacking.get(subject, 0))
                if taught:
                    found.append((code, subject, taught))
        return found

    def _staff(self, place: Place, wanted: list[tuple[str, str, int]]) -> tuple[list[Unit], dict[str, set[str]]]:
        """The lessons with their teachers, and teacher → subjects. At small schools one teacher takes a whole class."""
        units: list[Unit] = []
        staff: dict[str, set[str]] = {}
        load: Counter[str] = Counter()
        small = place.kind in ("village_primary", "teaching_point")
        most = MAX_LOAD[place.kind]
        owner: dict[tuple[str, str], str] = {}
        for group, subject, lessons in sorted(wanted, key=lambda want: (want[0] if small else want[1], -want[2])):
            key = (group, "") if small else ("", subject)
            teacher = owner.get(key)
            if teacher is None or load[teacher] + lessons > most:
                teacher = owner[key] = self._teacher_code()
            load[teacher] += lessons
            staff.setdefault(teacher, set()).add(subject)
            units.extend(Unit(group, subject, teacher) for _ in range(lessons))
        for subject in place.specialists:
            staff[self._teacher_code()] = {subject}
        self._teachers(place, staff)
        return units, staff

    def _teacher_code(self) -> str:
        self.teachers += 1
        return f"P{self.teachers:03}"

    def _teachers(self, place: Place, staff: dict[str, set[str]]) -> None:
        titles = ("骨干教师", "学科带头人", "特级教师") if place.leads else ("一级教师", "二级教师", "")
        for teacher, subjects in staff.items():
            cohort = "" if place.leads else self.random.choice(("rural", "rural;new", "rural;young"))
            written = ";".join(sorted(subjects))
            self.add(
                "teachers", teacher, place.code, next(self.names), written, self.random.choice(titles), cohort, "", ""
            )
            for subject in subjects:
                self.by_subject.setdefault((place.code, subject), []).append(teacher)

    def _away(self, place: Place, staff: dict[str, set[str]]) -> dict[str, set[Slot]]:
        """Research meetings of the seat's teachers, and a few private reasons."""
        found: dict[str, set[Slot]] = {}
        for teacher, subjects in staff.items():
            subject = sorted(subjects)[0]
            if place.township == "城关镇" and subject in RESEARCH:
                day, period = RESEARCH[subject]
                found[teacher] = {(day, period), (day, period + 1)} if period < 6 or day < 5 else {(day, period)}
                for away_day, away_period in sorted(found[teacher]):
                    self.add("unavailability", "teacher", teacher, away_day, away_period, "", "", "all", "学科教研活动")
        if place.kind == "central_primary":
            self.add("unavailability", "school", place.code, 1, "", "16:00", "17:00", "odd", "全体教师例会")
        if place.code == "S02":
            self.add("unavailability", "room", "S02-R2", "4-5", "", "14:00", "17:00", "all", "设备检修与试播")
        return found

    def _gatherings(self) -> None:
        """Master communities, network courses and the pairings that stand."""
        studios = (("M01", "语文名师工作室", "chinese", "S01", "all"), ("M02", "书法教研共同体", "handwriting", "S02", "odd"), ("M03", "小学英语研修共同体", "english", "S03", "even"))  # fmt: skip
        receivers = [
            place for place in PLACES if place.kind in ("village_primary", "central_primary") and not place.leads
        ]
        for code, name, subject, school, weeks in studios:
            members = sorted(self.random.choice(self.by_subject[place.code, "chinese"]) for place in receivers)
            host = self.by_subject[school, subject][0]
            self.add("communities", code, name, subject, "primary", host, ";".join(members), weeks, 60, 50)
        courses = (
            ("N01", "名校网络课堂·数学文化", "maths", "S02", 1),
            ("N02", "名校网络课堂·英语绘本", "english", "S01", 1),
        )
        for code, title, subject, school, lessons in courses:
            audience = [
                f"{place.code}-{index:02}"
                for place in PLACES
                if place.role == "receive" and place.stages == "primary"
                for index, grades in enumerate(place.grades, 1)
                if max(grades) in (4, 5, 6) and not set(place.lacking) & {subject}
            ]
            teacher = self.by_subject[school, subject][0]
            self.add("network_courses", code, title, subject, "4;5;6", teacher, lessons, ";".join(audience), "")
        self.add("pairings", "S01", "V01", "music", 1)
        self.add("pairings", "S02", "C03", "music;art", 0)

    def _calendar(self) -> None:
        def on(week: int, weekday: int) -> date:
            return TERM_START + timedelta(weeks=week - 1, days=weekday - 1)

        for weekday in (4, 5, 6, 7):
            self.add("calendar", on(4, weekday), "holiday", "", "国庆假期·虚构")
        for weekday in (1, 2, 3):
            self.add("calendar", on(5, weekday), "holiday", "", "国庆假期·虚构")
        self.add("calendar", on(3, 7), "makeup", 4, "国庆调休上班")
        self.add("calendar", on(5, 6), "makeup", 5, "国庆调休上班")
        self.add("calendar", on(8, 5), "closed", "", "秋季运动会")
        for week, weekday, note in ((9, 4, "期中测查"), (9, 5, "期中测查"), (20, 3, "期末测查"), (20, 4, "期末测查")):
            self.add("calendar", on(week, weekday), "exam", "", note)


HEADERS: dict[str, str] = {
    "county": "county_code name term_start term_end city province curriculum_plan timezone",
    "schools": "school_code name kind role bell_code parent_school_code township stages uplink_mbps contact_name contact_phone",
    "bells": "bell_code weekday period start end label",
    "rooms": "room_code school_code kind can_lead max_receivers level custodian_name custodian_phone",
    "teachers": "teacher_code school_code name subjects title cohorts max_remote_per_week max_remote_per_day",
    "classes": "class_code school_code grades size receiving_room_code editions",
    "lessons": "school_code class_codes subject weekday period teacher_code room_code weeks",
    "unavailability": "resource code weekday period start end weeks reason",
    "curriculum": "plan_code subject grade weekly_lessons",
    "communities": "community_code name subject stage host_teacher_code member_teacher_codes weeks length_min min_attendance_pct",
    "network_courses": "course_code title subject grades lead_teacher_code weekly_lessons audience_class_codes length_min",
    "pairings": "lead_school_code receive_school_code subjects locked",
    "calendar": "date kind follows_weekday note",
    "policy": "key value",
}


def write(folder: Path) -> None:
    """Writes every file of the county into the folder."""
    maker = Maker()
    maker.make()
    folder.mkdir(parents=True, exist_ok=True)
    for file, header in HEADERS.items():
        with (folder / f"{file}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(header.split())
            writer.writerows(maker.rows[file])


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else COUNTY)
