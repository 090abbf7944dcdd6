"""The files and columns of a county, with their Chinese names: what the importer accepts and the exporter writes.

Columns are those of the county format; the Chinese names follow the product's glossary. The first Chinese name is the one that
exports and templates use.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from config.words import Language


@dataclass(frozen=True)
class Column:
    name: str
    chinese: tuple[str, ...]
    required: bool
    examples: tuple[str, ...]
    """A value for each of the template's example rows."""


@dataclass(frozen=True)
class FileForm:
    """One file of the county folder, or one sheet of the workbook."""

    name: str
    chinese: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @cached_property
    def column_by_heading(self) -> Mapping[str, str]:
        """Normal form of every accepted heading → the column's name."""
        return {normal(heading): column.name for column in self.columns for heading in (column.name, *column.chinese)}

    def title(self, language: Language) -> str:
        return self.chinese[0] if language == "zh_CN" else self.name

    def headings(self, language: Language) -> list[str]:
        return [column.chinese[0] if language == "zh_CN" else column.name for column in self.columns]


def normal(heading: str) -> str:
    """A heading without what people add to it: case, spaces, a star, full-width forms, brackets."""
    plain = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"[\s*()\[\]:_\-]+", "", plain)


def _form(name: str, chinese: str, required: bool, *columns: str) -> FileForm:
    """``*name|中文|别名|example``: the star marks a required column, the last part holds the examples, with a slash between them."""
    read = []
    for column in columns:
        *names, example = column.split("|")
        key = names[0]
        read.append(Column(key.lstrip("*"), tuple(names[1:]), key.startswith("*"), tuple(example.split("/"))))
    return FileForm(name, tuple(chinese.split("|")), tuple(read), required)


FORMS: tuple[FileForm, ...] = (
    _form(
        "county",
        "县区|县",
        True,
        "*county_code|县区代码|县代码|X0001",
        "*name|县区名称|名称|虚构县",
        "*term_start|学期开始|开学日期|2026-09-01",
        "*term_end|学期结束|放假日期|2027-01-22",
        "city|地市|市|虚构市",
        "province|省份|省|虚构省",
        "curriculum_plan|课程方案|P2022",
        "timezone|时区|",
    ),
    _form(
        "schools",
        "学校",
        True,
        "*school_code|学校代码|S001/S002",
        "*name|学校名称|名称|虚构县第一实验小学/虚构县示例教学点",
        "*kind|学校类型|类型|strong/teaching_point",
        "*role|角色|三个课堂角色|lead/receive",
        "*bell_code|作息代码|作息时间代码|作息时间|B1/B1",
        "parent_school_code|上级学校代码|中心学校代码|/",
        "township|乡镇|镇街|城关镇/示例镇",
        "stages|学段|primary/primary",
        "uplink_mbps|上行带宽|上行带宽Mbps|100/20",
        "contact_name|联系人|学校联系人|王示例/赵示例",
        "contact_phone|联系电话|电话|000-0000000/000-0000000",
    ),
    _form(
        "bells",
        "作息时间|作息",
        True,
        "*bell_code|作息代码|作息时间代码|B1",
        "*weekday|星期|1-5",
        "*period|节次|1",
        "*start|开始时间|开始|08:30",
        "*end|结束时间|结束|09:10",
        "label|名称|说明|上午第一节",
    ),
    _form(
        "rooms",
        "教室",
        True,
        "*room_code|教室代码|S001-R1",
        "*school_code|学校代码|S001",
        "*kind|教室类型|类型|recording",
        "can_lead|可主讲|1",
        "max_receivers|最多接收班级数|1托n|3",
        "level|级别|等级|L3",
        "custodian_name|设备管理专人|专人姓名|李示例",
        "custodian_phone|设备管理专人电话|专人电话|000-0000000",
    ),
    _form(
        "teachers",
        "教师",
        True,
        "*teacher_code|教师代码|T001",
        "*school_code|学校代码|S001",
        "*name|姓名|教师姓名|张示例",
        "*subjects|任教学科|学科|music:1-6;art:3-6",
        "title|称号|职称|骨干教师",
        "cohorts|教师群体|群体|new",
        "max_remote_per_week|每周远程课上限|10",
        "max_remote_per_day|每日远程课上限|3",
    ),
    _form(
        "classes",
        "班级",
        True,
        "*class_code|班级代码|S001-C01",
        "*school_code|学校代码|S001",
        "*grades|年级|3",
        "*size|人数|班额|45",
        "receiving_room_code|接收教室代码|接收教室|",
        "editions|教材版本|english:PEP;music:SJ",
    ),
    _form(
        "lessons",
        "课表|本地课表|课程表",
        True,
        "*school_code|学校代码|S001",
        "*class_codes|班级代码|S001-C01",
        "*subject|学科|music",
        "*weekday|星期|1",
        "*period|节次|1",
        "teacher_code|教师代码|T001",
        "room_code|教室代码|",
        "weeks|周次|单双周|all",
    ),
    _form(
        "unavailability",
        "不可用时间|不可安排时间",
        False,
        "*resource|对象类型|对象|teacher",
        "*code|代码|对象代码|T001",
        "*weekday|星期|3",
        "period|节次|1",
        "start|开始时间|开始|",
        "end|结束时间|结束|",
        "weeks|周次|单双周|all",
        "reason|原因|教研活动",
    ),
    _form(
        "curriculum",
        "课程方案",
        False,
        "*plan_code|方案代码|课程方案代码|P2022",
        "*subject|学科|music",
        "*grade|年级|3",
        "*weekly_lessons|周课时|2",
    ),
    _form(
        "needs",
        "课程需求|需求",
        False,
        "*class_code|班级代码|S001-C01",
        "*subject|学科|music",
        "*weekly_lessons|周课时|2",
        "priority|优先级|5",
    ),
    _form(
        "communities",
        "名师课堂|网络研修共同体",
        False,
        "*community_code|共同体代码|M01",
        "*name|共同体名称|名称|示例名师工作室",
        "*subject|学科|music",
        "*stage|学段|primary",
        "*host_teacher_code|主持教师代码|主持人代码|T001",
        "*member_teacher_codes|成员教师代码|成员代码|T001",
        "weeks|周次|单双周|odd",
        "length_min|时长|时长分钟|60",
        "min_attendance_pct|最低出席率|50",
    ),
    _form(
        "network_courses",
        "名校网络课堂|网络课程",
        False,
        "*course_code|课程代码|N01",
        "*title|课程名称|名称|示例网络课程",
        "*subject|学科|music",
        "*grades|年级|3",
        "*lead_teacher_code|主讲教师代码|T001",
        "*weekly_lessons|周课时|1",
        "*audience_class_codes|听课班级代码|S001-C01",
        "length_min|时长|时长分钟|",
    ),
    _form(
        "pairings",
        "结对|结对关系",
        False,
        "*lead_school_code|主讲学校代码|S001",
        "*receive_school_code|接收学校代码|S002",
        "subjects|学科|music;art",
        "locked|锁定|0",
    ),
    _form(
        "calendar",
        "校历|日历",
        False,
        "*date|日期|2026-10-10",
        "*kind|类型|makeup",
        "follows_weekday|按星期几上课|补星期|3",
        "note|备注|说明|国庆节调休",
    ),
    _form("policy", "策略|规则参数", False, "*key|参数|max_receivers", "*value|值|取值|3"),
)

FORM_BY_NAME: Mapping[str, FileForm] = {form.name: form for form in FORMS}
FORM_BY_TITLE: Mapping[str, FileForm] = {normal(title): form for form in FORMS for title in (form.name, *form.chinese)}
