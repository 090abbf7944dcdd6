"""The fixtures of a live class."""

from live_class import board, bus, hold, lesson, media, settings

__all__ = ["board", "bus", "hold", "lesson", "media", "settings"]
