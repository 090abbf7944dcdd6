"""A county is read as the format says, from each of its three forms and in both languages of headings."""

from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from county_samples import FLAWLESS, folder_of, spoilt, workbook_of, zip_of

from rooms.county import County
from rooms.exporting import template
from rooms.gaps import needs_of
from rooms.importing import read_county
from rooms.planning.problem import problem_of
from scheduler.problem import ALL_WEEKS, EVEN, ODD, ClassCode, Slot, Subject, TeacherCode


def read(path: Path) -> County:
    reading = read_county(path)
    assert reading.county is not None, [finding.sentence("en") for finding in reading.findings]
    return reading.county


@pytest.fixture
def county(tmp_path: Path) -> County:
    return read(folder_of(tmp_path / "county", FLAWLESS))


def test_a_flawless_county_has_no_findings(tmp_path: Path) -> None:
    assert read_county(folder_of(tmp_path, FLAWLESS)).findings == ()


@pytest.mark.parametrize("prefix", ["", "导出/"])
def test_a_zip_file_is_the_same_county(tmp_path: Path, county: County, prefix: str) -> None:
    assert read(zip_of(tmp_path / "county.zip", FLAWLESS, prefix)) == county


def test_a_workbook_is_the_same_county(tmp_path: Path, county: County) -> None:
    assert read(workbook_of(tmp_path / "county.xlsx", FLAWLESS)) == county


def test_chinese_headings_values_and_names_are_the_same_county(tmp_path: Path, county: County) -> None:
    files = dict(FLAWLESS)
    files["课表"] = files.pop("lessons").replace(
        "school_code,class_codes,subject,weekday,period,teacher_code,room_code,weeks",
        "学校代码,班级代码,学科,星期,节次,教师代码,教室代码,单双周",
    ).replace(",1,1,T1,,all", ",周一,1,T1,,每周").replace(",2,1,T2,,odd", ",星期二,1,T2,,单周")  # fmt: skip
    files["学校"] = files.pop("schools").replace(
        "school_code,name,kind,role,bell_code,parent_school_code,stages,contact_name",
        "学校代码,学校名称,学校类型,角色,作息代码,上级学校代码,学段,联系人",
    ).replace("strong,lead", "优质学校,主讲").replace("teaching_point,receive", "教学点,接收").replace(",primary", ",小学")  # fmt: skip
    assert read(folder_of(tmp_path / "zh", files)) == county
    assert read(workbook_of(tmp_path / "zh.xlsx", files)) == county


def test_a_byte_order_mark_is_accepted(tmp_path: Path, county: County) -> None:
    folder = folder_of(tmp_path / "bom", FLAWLESS)
    (folder / "schools.csv").write_bytes(b"\xef\xbb\xbf" + (folder / "schools.csv").read_bytes())
    assert read(folder) == county


def test_needs_are_computed_where_none_are_given(county: County) -> None:
    """C1 has music in odd weeks and lacks a lesson and a half; T1 (grades 1+2) lacks both; A only leads."""
    assert {(need.class_code, need.subject): need.halves for need in needs_of(county)} == {
        ("C1", "music"): 3,
        ("C1", "art"): 2,
        ("T1", "music"): 4,
    }


def test_given_needs_stand_alone(tmp_path: Path) -> None:
    files = spoilt(needs="class_code,subject,weekly_lessons,priority\nT1,music,2.5,9\n", curriculum=None)
    needs = needs_of(read(folder_of(tmp_path, files)))
    assert [(need.class_code, need.halves, need.priority) for need in needs] == [("T1", 5, 9)]


def test_the_planner_sees_what_the_files_mean(county: County) -> None:
    problem = problem_of(county)
    teacher = problem.teachers[TeacherCode("T1")]
    assert teacher.subjects[Subject("art")] == frozenset(range(1, 7))  # bare: every grade of the school's stages
    assert problem.teachers[TeacherCode("T3")].subjects[Subject("chinese")] == {1, 2}  # without stages: its classes'
    assert teacher.week_limit == 10
    assert [room.can_lead for room in problem.rooms.values()] == [True, True, False]
    assert [lesson.slot for lesson in problem.lessons] == [
        Slot(1, 510, 550, ALL_WEEKS),
        Slot(2, 510, 550, ODD),
        Slot(1, 560, 600, ALL_WEEKS),
    ]
    assert [away.slot for away in problem.unavailabilities] == [Slot(3, 560, 600), Slot(5, 840, 930)]
    assert problem.communities[0].weeks == EVEN
    assert problem.courses[0].halves == 1
    assert problem.classes[ClassCode("T1")].grades == {1, 2}
    assert (problem.policy.max_receivers, problem.policy.require_assistant, problem.policy.match_edition) == (
        2,
        True,
        True,
    )


def test_lesson_rows_count_as_the_file_counts_them(tmp_path: Path, county: County) -> None:
    """Rows of empty cells count, blank lines do not: a plan names lessons by these numbers."""
    first, second, *rest = FLAWLESS["lessons"].splitlines()
    text = "\n".join([first, second, ",,,,,,,", "", *rest]) + "\n"
    lessons = read(folder_of(tmp_path, spoilt(lessons=text))).lessons
    assert [lesson.row for lesson in lessons] == [1, 3, 4]


def test_a_workbook_may_hold_numbers_times_and_dates(tmp_path: Path, county: County) -> None:
    path = tmp_path / "typed.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        day, clock = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "hh:mm"})
        for name, text in FLAWLESS.items():
            sheet = book.add_worksheet(name)
            for line, row in enumerate(text.splitlines()):
                for place, cell in enumerate(row.split(",")):
                    if cell.count("-") == 2 and cell[:2] == "20":
                        sheet.write_datetime(line, place, datetime.fromisoformat(cell), day)
                    elif cell[2:3] == ":" and len(cell) == 5:
                        hours, minutes = map(int, cell.split(":"))
                        sheet.write_number(line, place, (hours * 60 + minutes) / 1440, clock)
                    else:
                        sheet.write(line, place, cell if not cell.replace(".", "").isdigit() else float(cell))
    assert read(path) == county


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_template_reads_without_a_finding(tmp_path: Path, language: str) -> None:
    path = tmp_path / "template.xlsx"
    path.write_bytes(template("zh_CN" if language == "zh_CN" else "en"))
    assert read_county(path).findings == ()
