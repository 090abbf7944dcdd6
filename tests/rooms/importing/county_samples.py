"""A small, flawless county as text, to be spoilt by the tests."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import xlsxwriter

FLAWLESS: Mapping[str, str] = {
    "county": "county_code,name,term_start,term_end,curriculum_plan\nX1,虚构县,2026-09-07,2027-01-22,P\n",
    "schools": (
        "school_code,name,kind,role,bell_code,parent_school_code,stages,contact_name\n"
        "A,第一小学,strong,lead,B,,primary,赵\n"
        "C,中心小学,central_primary,both,B,,primary,钱\n"
        "T,北坡教学点,teaching_point,receive,B,C,,孙\n"
    ),
    "bells": "bell_code,weekday,period,start,end,label\nB,1-5,1,08:30,09:10,\nB,1-5,2,09:20,10:00,\n",
    "rooms": (
        "room_code,school_code,kind,can_lead,max_receivers,custodian_name\n"
        "A-R,A,recording,,3,李\nC-R,C,recording,,,周\nT-R,T,receiving,,,吴\n"
    ),
    "teachers": "teacher_code,school_code,name,subjects\nT1,A,甲,music:1-6;art\nT2,C,乙,music\nT3,T,丙,chinese\n",
    "classes": (
        "class_code,school_code,grades,size,receiving_room_code,editions\n"
        "A1,A,3,40,,\nC1,C,3,30,C-R,music:SJ\nT1,T,1+2,5,T-R,music:RJ;english:PEP\n"
    ),
    "lessons": (
        "school_code,class_codes,subject,weekday,period,teacher_code,room_code,weeks\n"
        "A,A1,music,1,1,T1,,all\nC,C1,music,2,1,T2,,odd\nT,T1,chinese,1,2,T3,T-R,\n"
    ),
    "unavailability": "resource,code,weekday,period,start,end,weeks,reason\nteacher,T1,3,2,,,all,教研\nschool,C,5,,14:00,15:30,,\n",
    "curriculum": "plan_code,subject,grade,weekly_lessons\nP,music,1-3,2\nP,art,3,1\n",
    "communities": (
        "community_code,name,subject,stage,host_teacher_code,member_teacher_codes,weeks\nM,工作室,music,primary,T1,T2;T3,even\n"
    ),
    "network_courses": (
        "course_code,title,subject,grades,lead_teacher_code,weekly_lessons,audience_class_codes\nN,鉴赏,art,3;4,T1,0.5,C1\n"
    ),
    "pairings": "lead_school_code,receive_school_code,subjects,locked\nA,T,music,1\n",
    "calendar": "date,kind,follows_weekday,note\n2026-10-01,holiday,,国庆\n2026-10-10,makeup,3,\n",
    "policy": "key,value\nmax_receivers,2\nrequire_assistant,1\n",
}


def spoilt(**files: str | None) -> dict[str, str]:
    """The flawless county with some files replaced, or left out where None."""
    changed: dict[str, str | None] = {**FLAWLESS, **files}
    return {name: text for name, text in changed.items() if text is not None}


def folder_of(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def zip_of(path: Path, files: Mapping[str, str], prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{prefix}{name}.csv", text)
    return path


def workbook_of(path: Path, files: Mapping[str, str]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        for name, text in files.items():
            sheet = book.add_worksheet(name)
            for line, row in enumerate(csv.reader(io.StringIO(text))):
                for place, cell in enumerate(row):
                    sheet.write_string(line, place, cell)
    return path
