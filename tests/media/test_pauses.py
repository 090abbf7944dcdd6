"""What may hold packets up is made short where classes are carried."""

import gc
import sys

from media.pauses import TURN, YOUNG, shorten_pauses


def test_what_is_loaded_is_not_collected_again_and_threads_take_short_turns() -> None:
    before, threshold = sys.getswitchinterval(), gc.get_threshold()
    gc.unfreeze()
    try:
        shorten_pauses()
        assert gc.get_freeze_count() > 1000
        assert len(gc.get_objects()) < 1000
        assert abs(sys.getswitchinterval() - TURN) < TURN / 10
        assert gc.get_threshold()[0] == YOUNG
    finally:
        sys.setswitchinterval(before)
        gc.set_threshold(*threshold)
