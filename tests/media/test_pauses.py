"""What may hold packets up is made short where classes are carried."""

import gc
import sys

from media.pauses import TURN, shorten_pauses


def test_what_is_loaded_is_not_collected_again_and_threads_take_short_turns() -> None:
    before = sys.getswitchinterval()
    gc.unfreeze()
    try:
        shorten_pauses()
        assert gc.get_freeze_count() > 1000
        assert len(gc.get_objects()) < 1000
        assert abs(sys.getswitchinterval() - TURN) < TURN / 10
    finally:
        sys.setswitchinterval(before)
