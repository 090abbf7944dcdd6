"""Weeks as pages draw them: overlapping blocks stand side by side, and the grid is cut to what it needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.planner.grids import MOST_LANES, Block, Column, grid, side_by_side
from rooms.planning.timetable import Period


def lanes(*windows: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    blocks = side_by_side([Block(start, end, None) for start, end in windows])
    return [(block.start, block.end, block.lane, block.lanes) for block in blocks]


def test_blocks_one_after_the_other_take_the_whole_width() -> None:
    assert lanes((480, 520), (520, 560)) == [(480, 520, 1, 1), (520, 560, 1, 1)]


def test_overlapping_blocks_share_the_width_and_a_free_lane_is_used_again() -> None:
    assert lanes((480, 520), (500, 600), (530, 560)) == [(480, 520, 1, 2), (500, 600, 2, 2), (530, 560, 1, 2)]


@given(st.lists(st.tuples(st.integers(360, 1300), st.integers(5, 50)), max_size=12))
def test_no_two_blocks_of_one_lane_overlap(windows: list[tuple[int, int]]) -> None:
    blocks = side_by_side([Block(start, start + length, None) for start, length in windows])
    assert len(blocks) == len(windows)
    for index, one in enumerate(blocks):
        assert 1 <= one.lane <= one.lanes <= MOST_LANES
        for other in blocks[index + 1 :]:
            apart = one.end <= other.start or other.end <= one.start
            assert apart or one.lane != other.lane or one.lanes == MOST_LANES


def test_a_grid_is_cut_to_half_hours_around_periods_and_blocks() -> None:
    columns = [
        Column(1, (), (Period("1", 8 * 60 + 40, 9 * 60 + 20),)),
        Column(2, (Block(15 * 60 + 10, 15 * 60 + 50, None),)),
    ]
    drawn = grid(columns)
    assert (drawn.start, drawn.end) == (8 * 60 + 30, 16 * 60)
    assert list(drawn.hours) == list(range(9 * 60, 16 * 60, 60))
    assert not drawn.empty


def test_an_empty_week_still_has_hours() -> None:
    nothing: Column[None] = Column(1, ())
    drawn = grid([nothing])
    assert (drawn.start, drawn.end, drawn.empty) == (8 * 60, 16 * 60, True)
