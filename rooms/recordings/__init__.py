"""Recordings of lessons: begun and ended with the class, watched by its sides and its county, kept for a time, removed in two steps."""

from rooms.recordings.board import Recordings
from rooms.recordings.removal import destroy, restore, withdraw
from rooms.recordings.views import (
    Marker,
    RecordingView,
    markers,
    open_to,
    recording_of,
    recordings_in,
    recordings_of,
    watched,
    watched_files,
)

__all__ = [
    "Marker",
    "RecordingView",
    "Recordings",
    "destroy",
    "markers",
    "open_to",
    "recording_of",
    "recordings_in",
    "recordings_of",
    "restore",
    "watched",
    "watched_files",
    "withdraw",
]
