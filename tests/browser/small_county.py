"""A county as small as a county can be: one strong school, a village primary and a teaching point that lack music. Synthetic."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

COUNTY = "xishan"
LEAD, VILLAGE, POINT = "A1", "B1", "C1"
TEACHER, LEAD_ROOM = "T01", "A1-REC"
VILLAGE_TEACHER, POINT_TEACHER = "T11", "T21"
VILLAGE_CLASS, POINT_CLASS = "B1-3", "C1-3"
VILLAGE_ROOM, POINT_ROOM = "B1-RX", "C1-RX"
HEADS = {VILLAGE_CLASS: 26, POINT_CLASS: 7}
"""Pupils of each receiving class."""

FILES = {
    "schools.csv": """school_code,name,kind,role,bell_code,township,stages,contact_name,contact_phone
A1,溪山县实验小学,strong,lead,day,城关镇,primary,何主任,13000000001
B1,柳林村小学,village_primary,receive,day,柳林乡,primary,罗校长,13000000002
C1,石门教学点,teaching_point,receive,day,柳林乡,primary,田老师,13000000003
""",
    "bells.csv": """bell_code,weekday,period,start,end
day,1-5,1,08:30,09:10
day,1-5,2,09:20,10:00
day,1-5,3,10:30,11:10
day,1-5,4,11:20,12:00
day,1-5,5,14:30,15:10
day,1-5,6,15:20,16:00
""",
    "rooms.csv": """room_code,school_code,kind,can_lead,max_receivers,level,custodian_name,custodian_phone
A1-REC,A1,recording,1,3,L3,许工,13000000011
B1-RX,B1,receiving,0,,L1,罗校长,13000000002
C1-RX,C1,receiving,0,,L1,田老师,13000000003
""",
    "teachers.csv": """teacher_code,school_code,name,subjects,title
T01,A1,苏韵,music:1-6,县级骨干教师
T02,A1,何平,chinese,
T11,B1,罗建,chinese;maths,
T21,C1,田野,chinese;maths,
""",
    "classes.csv": """class_code,school_code,grades,size,receiving_room_code
A1-3,A1,3,41,
B1-3,B1,3,26,B1-RX
C1-3,C1,3,7,C1-RX
""",
    "lessons.csv": """school_code,class_codes,subject,weekday,period,teacher_code,room_code,weeks
A1,A1-3,music,2,3,T01,,all
A1,A1-3,music,4,3,T01,,all
A1,A1-3,chinese,1,1,T02,,all
B1,B1-3,chinese,1,1,T11,,all
B1,B1-3,maths,1,2,T11,,all
C1,C1-3,chinese,1,1,T21,,all
C1,C1-3,maths,1,2,T21,,all
""",
    "curriculum.csv": """plan_code,subject,grade,weekly_lessons
small,chinese,3,1
small,maths,3,1
small,music,3,2
""",
    "calendar.csv": "date,kind,follows_weekday,note\n",
    "policy.csv": "key,value\nmax_receivers,3\n",
}


def write_small_county(folder: Path, today: date) -> Path:
    """Writes the files; the term began eight weeks before `today`."""
    folder.mkdir(parents=True, exist_ok=True)
    monday = today - timedelta(days=today.weekday())
    header = "county_code,name,term_start,term_end,city,province,curriculum_plan,timezone\n"
    row = f"{COUNTY},溪山县,{monday - timedelta(weeks=8)},{monday + timedelta(weeks=10, days=4)},示例市,示例省,small,Asia/Shanghai\n"
    for name, text in {**FILES, "county.csv": header + row}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
