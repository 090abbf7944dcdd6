"""Made-up names: towns, schools and people that nobody is called after."""

from __future__ import annotations

from collections import Counter
from random import Random

from config.demo.places import GIVEN, SURNAMES
from rooms.generating.shape import Profile

FIRST = "清白云柳青石松竹梅南北上下新古黑金银双长"
SECOND = "溪河岭坪沙湾泉岗寨桥滩峪坡塘"
HAMLETS = (
    "大槐",
    "桥头",
    "石门",
    "松坪",
    "三汊",
    "渡口",
    "茶园",
    "竹溪",
    "北坡",
    "高寨",
    "雾溪",
    "东滩",
    "沙湾",
    "云上",
    "下河",
    "小岭",
)


class Names:
    """Draws names; those of schools are never given twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._given: Counter[str] = Counter()
        self.county = f"{random.choice(FIRST)}{random.choice(SECOND)}县"

    def towns(self, number: int) -> list[str]:
        """The county seat, and other towns."""
        drawn = self._random.sample([first + second for first in FIRST for second in SECOND], number - 1)
        return ["城关镇", *(f"{name}{self._random.choice('镇镇乡')}" for name in drawn)]

    def school(self, town: str, profile: Profile) -> str:
        hamlet = self._random.choice(HAMLETS) if profile.role == "receive" else ""
        name = f"{town}{hamlet}{profile.title}"
        self._given[name] += 1
        return (
            name
            if self._given[name] == 1
            else f"{town}{hamlet}第{self._given[name]}{profile.title.removeprefix('第一')}"
        )

    def person(self, random: Random) -> str:
        return random.choice(SURNAMES) + random.choice(GIVEN)
