"""Every mistake is found at once, with file, row and column and a sentence in both languages; nothing is changed by it."""

import subprocess
import sys
from pathlib import Path

import pytest
from county_samples import FLAWLESS, folder_of, spoilt, workbook_of
from sqlalchemy import text

from config.words import LANGUAGES
from rooms.clock import SystemClock
from rooms.counties import load_county, save_county
from rooms.importing import Finding, read_county
from rooms.store import SYSTEM, Store

TEN = spoilt(
    county=FLAWLESS["county"].replace("2027-01-22", "22 January"),
    schools=FLAWLESS["schools"].replace("central_primary", "zentral").replace("lead,B,", "lead,Z,"),
    bells=FLAWLESS["bells"].replace("09:20,10:00", "10:20,10:00"),
    rooms=FLAWLESS["rooms"].replace("T-R,T", "A-R,T"),
    classes=FLAWLESS["classes"].replace("1+2,5", "1+2,fünf"),
    lessons=FLAWLESS["lessons"].replace("music,1,1,T1", "music,1,9,T1").replace("odd", "sometimes"),
    calendar=FLAWLESS["calendar"].replace("makeup,3", "makeup,"),
    teachers=FLAWLESS["teachers"].replace("T2,C,乙", "T2,C,"),
)
EXPECTED = {
    ("county", 1, "term_end", "bad_date"),
    ("schools", 2, "kind", "bad_choice"),
    ("schools", 1, "bell_code", "unknown_code"),
    ("bells", 2, "end", "end_before_start"),
    ("rooms", 3, "room_code", "code_twice"),
    ("classes", 3, "size", "bad_integer"),
    ("classes", 3, "receiving_room_code", "unknown_code"),
    ("lessons", 3, "room_code", "unknown_code"),
    ("lessons", 2, "weeks", "bad_weeks"),
    ("calendar", 2, "follows_weekday", "makeup_without_weekday"),
    ("teachers", 2, "name", "required_empty"),
}


def places(findings: tuple[Finding, ...]) -> set[tuple[str, int | None, str, str]]:
    return {(f.file.removesuffix(".csv"), f.row, f.column, f.code) for f in findings if f.is_error}


@pytest.fixture(params=["folder", "workbook"])
def spoilt_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        return folder_of(tmp_path / "spoilt", TEN)
    return workbook_of(tmp_path / "spoilt.xlsx", TEN)


def test_all_mistakes_are_reported_at_once(spoilt_path: Path) -> None:
    reading = read_county(spoilt_path)
    assert reading.county is None
    assert len(EXPECTED) >= 10
    assert places(reading.findings) == EXPECTED


def test_every_finding_speaks_both_languages(spoilt_path: Path) -> None:
    for finding in read_county(spoilt_path).findings:
        for language in LANGUAGES:
            assert finding.sentence(language)
            place = finding.place(language)
            assert finding.file in place
            assert str(finding.row) in place
            assert str((finding.row or 0) + 1) in place  # the spreadsheet counts the header
            assert finding.column in place


async def test_a_faulty_import_changes_nothing(store: Store, spoilt_path: Path, tmp_path: Path) -> None:
    before = read_county(folder_of(tmp_path / "good", FLAWLESS)).county
    assert before is not None
    await save_county(store, SYSTEM, SystemClock(), before, file_name="good", sha256="0" * 64)
    settings = {"SANKE_DATABASE_URL": store.url.render_as_string(hide_password=False), "SANKE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", "from api.cli import main; main()", "import", str(spoilt_path), "--yes"]
    done = subprocess.run(command, env={"COLUMNS": "200", **settings}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    for file, _, column, _ in EXPECTED:
        assert file in done.stdout
        assert column in done.stdout
    assert "没有写入任何内容" in done.stdout
    async with store.read() as session:
        assert await load_county(session, "X1") == before
        assert (await session.scalar(text("SELECT count(*) FROM import_runs"))) == 1


@pytest.mark.parametrize(
    ("file", "content", "code", "row", "column"),
    [
        ("county", "county_code,name,term_start,term_end\n", "not_one_row", None, ""),
        ("county", "county_code,name,term_start,term_end\nX1,县,2027-09-07,2027-01-22\n", "term_reversed", 1, "term_end"),
        ("schools", None, "missing_file", None, ""),
        ("schools", "", "empty_file", None, ""),
        ("schools", FLAWLESS["schools"].replace("role", "rolle"), "missing_column", None, "role"),
        ("policy", "key,value,key\nmax_receivers,3,\n", "column_twice", None, "key"),
        ("policy", "key,value\nmax_receivers,3,4\n", "too_many_cells", 1, ""),
        ("policy", "key,value\nrequire_assistant,2\n", "bad_flag", 1, "value"),
        ("policy", "key,value\nmax_receivers,-1\n", "bad_integer", 1, "value"),
        ("policy", "key,value\nwish_few_moves,101\n", "bad_integer", 1, "value"),
        ("policy", "key,value\nmin_common_minutes,0\n", "bad_integer", 1, "value"),
        ("policy", 'key,value\nmax_receivers,"3\n', "not_csv", None, ""),
        ("bells", FLAWLESS["bells"] + "B,3,1,08:00,08:40,\n", "period_twice", 3, "period"),
        ("bells", FLAWLESS["bells"].replace("08:30", "8 Uhr"), "bad_time", 1, "start"),
        ("bells", FLAWLESS["bells"].replace("1-5,1", "0-5,1"), "bad_weekdays", 1, "weekday"),
        ("bells", FLAWLESS["bells"].replace("1-5,1", "2026-01-05,1"), "became_date", 1, "weekday"),
        ("lessons", FLAWLESS["lessons"].replace("music,1,1", "music,1-2,1"), "bad_weekday", 1, "weekday"),
        ("lessons", FLAWLESS["lessons"].replace("music,1,1", "music,1,9"), "no_such_period", 1, "period"),
        ("lessons", FLAWLESS["lessons"].replace("A1,", "A1;A1,"), "twice_in_list", 1, "class_codes"),
        ("lessons", FLAWLESS["lessons"].replace("A1,", "A1;A9,"), "unknown_code", 1, "class_codes"),
        ("classes", FLAWLESS["classes"].replace("1+2", "1+20"), "bad_grades", 3, "grades"),
        ("classes", FLAWLESS["classes"].replace("music:SJ", ":SJ"), "bad_pairs", 2, "editions"),
        ("classes", FLAWLESS["classes"].replace("A1,A", "A" * 65 + ",A"), "code_too_long", 1, "class_code"),
        ("curriculum", "plan_code,subject,grade,weekly_lessons\nQ,music,3,2\n", "no_curriculum", None, ""),
        ("curriculum", FLAWLESS["curriculum"] + "P,art,1-3,2\n", "code_twice", 3, "grade"),
        ("curriculum", FLAWLESS["curriculum"].replace(",1\n", ",1.3\n"), "bad_halves", 2, "weekly_lessons"),
        ("curriculum", FLAWLESS["curriculum"].replace(",1\n", ",one\n"), "bad_number", 2, "weekly_lessons"),
        ("needs", "class_code,subject,weekly_lessons,priority\nT1,music,1,10\n", "bad_priority", 1, "priority"),
        ("needs", "class_code,subject,weekly_lessons\nT1,music,1\nT1,music,2\n", "code_twice", 2, "subject"),
        ("calendar", FLAWLESS["calendar"] + "2026-10-10,exam,,\n", "code_twice", 3, "date"),
        ("calendar", FLAWLESS["calendar"] + "2026年10月1日,exam,,\n", "code_twice", 3, "date"),
        ("communities", FLAWLESS["communities"].replace("weeks", "length_min").replace("even", "0"), "bad_length", 1, "length_min"),
        ("communities", FLAWLESS["communities"].replace("weeks", "min_attendance_pct").replace("even", "0.5"), "bad_percentage", 1, "min_attendance_pct"),
        ("unavailability", "resource,code,weekday\nteacher,T1,3\n", "no_window", 1, "period"),
        ("unavailability", "resource,code,weekday,period\nteacher,T9,3,1\n", "unknown_code", 1, "code"),
        ("unavailability", "resource,code,weekday,period\nteacher,T1,6,1\n", "no_such_period", 1, "period"),
        ("county", FLAWLESS["county"].replace("name,", "name,timezone,").replace("县,", "县,Mars/Base,"), "bad_timezone", 1, "timezone"),
        ("county", FLAWLESS["county"].replace("X1", "X\u00071"), "control_character", 1, "county_code"),
        ("county", FLAWLESS["county"].replace("X1", "X;1"), "code_with_semicolon", 1, "county_code"),
    ],
)  # fmt: skip
def test_one_mistake(tmp_path: Path, file: str, content: str | None, code: str, row: int | None, column: str) -> None:
    errors = read_county(folder_of(tmp_path, spoilt(**{file: content}))).errors
    found = {(f.file, f.row, f.column, f.code) for f in errors}
    assert (f"{file}.csv", row, column, code) in found
    assert all(finding.sentence(language) for finding in errors for language in LANGUAGES)


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("schools", FLAWLESS["schools"].replace("contact_name", "contact_name,motto").replace("赵", "赵,Lernen"), "unknown_column"),
        ("policy", "key,value\nmax_fun,3\n", "unknown_policy"),
        ("rooms", FLAWLESS["rooms"].replace("C-R,C,recording", "C-R,C,receiving"), "lead_without_room"),
        ("bells", FLAWLESS["bells"] + "B,3,3,09:50,10:30,\n", "periods_overlap"),
        ("calendar", "date,kind\n2020-01-01,holiday\n", "outside_term"),
        ("pairings", "lead_school_code,receive_school_code\nA,A\n", "pairs_with_itself"),
        ("pairings", "lead_school_code,receive_school_code,subjects\nA,T,music\nA,T,art\n", "pairing_twice"),
        ("classes", FLAWLESS["classes"].replace("3,30,C-R", "3,30,T-R"), "of_other_school"),
        ("lessons", FLAWLESS["lessons"].replace("C,C1", "C,A1"), "of_other_school"),
        ("rooms", FLAWLESS["rooms"].replace("李", ""), "no_custodian"),
        ("schools", FLAWLESS["schools"].replace("孙", ""), "no_contact"),
        ("lessons", FLAWLESS["lessons"] + "C,C1,art,2,1,,,all\n", "in_two_places"),
        ("lessons", FLAWLESS["lessons"] + "T,T1,music,2,1,T2,,odd\n", "in_two_places"),
        ("menu", "dish\nrice\n", "unknown_file"),
    ],
)  # fmt: skip
def test_an_oddity_is_a_warning(tmp_path: Path, file: str, content: str, code: str) -> None:
    reading = read_county(folder_of(tmp_path, spoilt(**{file: content})))
    assert reading.county is not None
    assert [finding.code for finding in reading.warnings] == [code]
    assert all(finding.sentence(language) for finding in reading.warnings for language in LANGUAGES)


def test_a_file_in_gbk_names_the_row(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, FLAWLESS)
    (folder / "schools.csv").write_bytes(FLAWLESS["schools"].encode("gbk"))
    (finding,) = read_county(folder).errors
    assert (finding.code, finding.file, finding.line) == ("not_utf8", "schools.csv", 2)


def test_a_missing_path_is_a_finding(tmp_path: Path) -> None:
    assert [finding.code for finding in read_county(tmp_path / "nowhere").findings] == ["no_such_path"]


def test_a_ruined_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    lessons = FLAWLESS["lessons"].splitlines()[0] + "\n" + "A,A9,music,1,1,,,\n" * 5000
    findings = read_county(folder_of(tmp_path, spoilt(lessons=lessons))).findings
    assert findings[-1].code == "more_findings"
    assert findings[-1].facts["count"] == 4000


def test_a_thousand_warnings_do_not_hide_a_mistake(tmp_path: Path) -> None:
    lessons = (
        FLAWLESS["lessons"] + "A,A1,music,1,1,T1,,\n" * 1500
    )  # double bookings are found before absences are looked at
    away = FLAWLESS["unavailability"] + "teacher,T9,3,2,,,,\n"
    reading = read_county(folder_of(tmp_path, spoilt(lessons=lessons, unavailability=away)))
    assert [(each.file, each.row, each.code) for each in reading.errors[:-1]] == [
        ("unavailability.csv", 3, "unknown_code")
    ]
    assert reading.errors[-1].code == "more_findings"
