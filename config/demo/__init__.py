"""A made-up county to try the product with. Every school, person, number and lesson in it is synthetic."""

from __future__ import annotations

from pathlib import Path

COUNTY = Path(__file__).parent / "county"
"""The folder of its CSV files, written by ``python -m config.demo.make``."""
