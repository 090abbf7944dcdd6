"""The made-up county's schools, bells, hours and gaps: what `config.demo.make` builds its files from."""

from __future__ import annotations

from dataclasses import dataclass

CITY_A = ("08:30-09:10", "09:20-10:00", "10:30-11:10", "11:20-12:00", "14:20-15:00", "15:10-15:50", "16:00-16:40")
CITY_B = ("08:20-09:00", "09:10-09:50", "10:20-11:00", "11:10-11:50", "14:00-14:40", "14:50-15:30", "15:40-16:20")
TOWN = ("08:30-09:10", "09:20-10:00", "10:30-11:10", "11:20-12:00", "14:10-14:50", "15:00-15:40", "15:50-16:30")
VILLAGE = ("08:30-09:10", "09:20-10:00", "10:30-11:10", "11:20-12:00", "14:00-14:40", "14:50-15:30", "15:40-16:20")
HILL = ("08:50-09:30", "09:40-10:20", "10:35-11:15", "11:20-12:00", "13:20-14:00", "14:10-14:50", "15:00-15:40")
POINT = ("08:40-09:20", "09:30-10:10", "10:30-11:10", "11:20-12:00", "13:50-14:30", "14:40-15:20", "15:30-16:10")
JUNIOR_A = ("08:00-08:45", "08:55-09:40", "10:10-10:55", "11:05-11:50", "14:10-14:55", "15:05-15:50", "16:00-16:45")
JUNIOR_B = ("08:10-08:55", "09:05-09:50", "10:10-10:55", "11:05-11:50", "14:20-15:05", "15:15-16:00", "16:10-16:55")
WINTER = ("08:40-09:20", "09:30-10:10", "10:40-11:20", "11:30-12:10", "14:00-14:40", "14:50-15:30", "15:40-16:20")
BELLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "B-CITY-A": ("夏季作息", CITY_A),
    "B-CITY-A-W": ("冬季作息", WINTER),
    "B-CITY-B": ("城南作息", CITY_B),
    "B-TOWN": ("乡镇作息", TOWN),
    "B-VILLAGE": ("村小作息", VILLAGE),
    "B-HILL": ("山区作息", HILL),
    "B-POINT": ("教学点作息", POINT),
    "B-JUNIOR-A": ("初中作息", JUNIOR_A),
    "B-JUNIOR-B": ("乡镇初中作息", JUNIOR_B),
}

HOURS: dict[str, tuple[int, ...]] = {
    "chinese": (8, 8, 7, 7, 6, 6, 5, 5, 5),
    "maths": (4, 4, 4, 4, 4, 4, 5, 5, 5),
    "english": (0, 0, 2, 2, 3, 3, 4, 3, 4),
    "moral": (2, 2, 2, 2, 2, 2, 2, 2, 2),
    "science": (1, 1, 2, 2, 2, 2, 0, 0, 0),
    "it": (0, 0, 1, 1, 1, 1, 1, 1, 0),
    "pe": (4, 4, 3, 3, 3, 3, 3, 3, 3),
    "music": (2, 2, 2, 2, 2, 2, 1, 1, 1),
    "art": (2, 2, 2, 2, 2, 2, 1, 1, 1),
    "handwriting": (1, 1, 1, 1, 1, 1, 0, 0, 0),
    "labour": (2, 2, 2, 2, 2, 2, 3, 3, 3),
    "history": (0, 0, 0, 0, 0, 0, 2, 2, 2),
    "geography": (0, 0, 0, 0, 0, 0, 2, 2, 0),
    "biology": (0, 0, 0, 0, 0, 0, 3, 2, 0),
    "physics": (0, 0, 0, 0, 0, 0, 0, 2, 3),
    "chemistry": (0, 0, 0, 0, 0, 0, 0, 0, 3),
}
"""Weekly lessons of grades 1 to 9: a plan that fits the national one of 2022; handwriting is taken from the local hours."""


@dataclass(frozen=True)
class Place:
    """A school to make. `grades` holds one entry for each class; `lacking`: subject → lessons a week that nobody can teach."""

    code: str
    name: str
    kind: str
    role: str
    bell: str
    township: str
    grades: tuple[tuple[int, ...], ...]
    lacking: dict[str, int]
    parent: str = ""
    mbps: int = 100
    recording: int = 0
    receiving: int = 0
    editions: str = ""
    specialists: tuple[str, ...] = ()
    """Subjects with a teacher who teaches for other schools alone."""

    @property
    def leads(self) -> bool:
        return self.role in ("lead", "both")

    @property
    def stages(self) -> str:
        return "junior" if self.kind == "junior" else "primary"


def _each(first: int, last: int, times: int = 1) -> tuple[tuple[int, ...], ...]:
    return tuple((grade,) for grade in range(first, last + 1) for _ in range(times))


ALL = 9  # more lessons than any plan asks for: the subject is not taught at all
_RJ, _XY = "music:人教;art:人美;english:外研", "music:湘艺;art:人美;english:外研"
PLACES: tuple[Place, ...] = (
    Place("S01", "清溪县第一实验小学", "strong", "lead", "B-CITY-A", "城关镇", _each(1, 6, 2), {}, "", 500, 2, 0, _RJ, ("music", "art")),
    Place("S02", "清溪县第二实验小学", "strong", "lead", "B-CITY-A", "城关镇", _each(1, 6, 2), {}, "", 500, 2, 0, _RJ),
    Place("S03", "清溪县城南小学", "strong", "lead", "B-CITY-B", "城关镇", _each(1, 6, 2), {}, "", 200, 2, 0, _XY),
    Place("S04", "清溪县第一初级中学", "junior", "lead", "B-JUNIOR-A", "城关镇", _each(7, 9, 2), {}, "", 500, 1),
    Place("C01", "白石镇中心小学", "central_primary", "both", "B-TOWN", "白石镇", _each(1, 6), {"it": ALL}, "", 200, 1, 1, _RJ),
    Place("C02", "云岭镇中心小学", "central_primary", "both", "B-TOWN", "云岭镇", _each(1, 6), {"music": 1}, "", 200, 1, 1, _RJ),
    Place("C03", "柳河乡中心小学", "central_primary", "receive", "B-TOWN", "柳河乡", _each(1, 6), {"music": ALL}, "", 100, 0, 1, _RJ),
    Place("C04", "青山乡中心小学", "central_primary", "receive", "B-VILLAGE", "青山乡", _each(1, 6), {"art": ALL}, "", 100, 0, 1, _XY),
    Place("V01", "白石镇大槐小学", "village_primary", "receive", "B-VILLAGE", "白石镇", _each(1, 6), {"music": ALL, "art": 1}, "C01", 50, 0, 2, _RJ),
    Place("V02", "白石镇桥头小学", "village_primary", "receive", "B-VILLAGE", "白石镇", _each(1, 4), {"english": ALL}, "C01", 50, 0, 1, _RJ),
    Place("V03", "云岭镇石门小学", "village_primary", "receive", "B-HILL", "云岭镇", _each(1, 6), {"science": ALL, "art": ALL}, "C02", 20, 0, 2, _RJ),
    Place("V04", "云岭镇松树坪小学", "village_primary", "receive", "B-HILL", "云岭镇", _each(1, 4), {"music": ALL, "handwriting": ALL}, "C02", 20, 0, 1, _XY),
    Place("V05", "柳河乡三汊小学", "village_primary", "receive", "B-TOWN", "柳河乡", _each(1, 6), {"art": ALL, "english": 1}, "C03", 50, 0, 2, _RJ),
    Place("V06", "柳河乡渡口小学", "village_primary", "receive", "B-VILLAGE", "柳河乡", _each(1, 4), {"science": ALL, "music": 1}, "C03", 50, 0, 1, _RJ),
    Place("V07", "青山乡茶园小学", "village_primary", "receive", "B-VILLAGE", "青山乡", _each(1, 6), {"music": ALL, "english": ALL}, "C04", 50, 0, 2, _XY),
    Place("V08", "青山乡竹溪小学", "village_primary", "receive", "B-HILL", "青山乡", _each(1, 4), {"handwriting": ALL, "art": ALL}, "C04", 20, 0, 1, _RJ),
    Place("T01", "白石镇北坡教学点", "teaching_point", "receive", "B-POINT", "白石镇", ((1, 2),), {"music": ALL, "art": ALL, "science": ALL}, "C01", 20, 0, 1),
    Place("T02", "云岭镇高寨教学点", "teaching_point", "receive", "B-POINT", "云岭镇", ((1, 2), (3,)), {"music": ALL, "art": ALL, "english": ALL}, "C02", 10, 0, 1),
    Place("T03", "云岭镇雾溪教学点", "teaching_point", "receive", "B-HILL", "云岭镇", ((1, 2, 3),), {"music": ALL, "art": ALL, "english": ALL, "science": ALL}, "C02", 10, 0, 1),
    Place("T04", "柳河乡东滩教学点", "teaching_point", "receive", "B-VILLAGE", "柳河乡", ((1, 2), (3, 4)), {"music": ALL, "art": ALL, "english": ALL}, "C03", 20, 0, 1),
    Place("T05", "柳河乡沙湾教学点", "teaching_point", "receive", "B-POINT", "柳河乡", ((1,),), {"music": ALL, "art": ALL}, "C03", 20, 0, 1),
    Place("T06", "青山乡云上教学点", "teaching_point", "receive", "B-POINT", "青山乡", ((2, 3),), {"music": ALL, "art": ALL, "english": ALL, "it": ALL}, "C04", 10, 0, 1),
    Place("J01", "云岭镇初级中学", "junior", "receive", "B-JUNIOR-B", "云岭镇", _each(7, 9), {"music": ALL, "art": ALL}, "", 100, 0, 1),
    Place("J02", "柳河乡初级中学", "junior", "receive", "B-JUNIOR-A", "柳河乡", _each(7, 9), {"it": ALL, "biology": 1}, "", 50, 0, 1),
)  # fmt: skip
SURNAMES = "林周吴郑冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马苗方任袁柳唐"
GIVEN = [
    "雨桐",
    "思远",
    "晓岚",
    "文静",
    "志鹏",
    "秋月",
    "建国",
    "小满",
    "海燕",
    "春生",
    "若兰",
    "立新",
    "婉清",
    "大川",
    "雪梅",
    "向东",
    "明哲",
    "佳音",
    "子涵",
    "玉珍",
    "长河",
    "书琴",
    "墨林",
    "画之",
]
