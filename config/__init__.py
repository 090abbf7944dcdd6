"""Settings, logging, words, and the data a bureau may replace."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("sanke")
