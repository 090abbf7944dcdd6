"""The tree, the clock and the people of these tests."""

from people_tree import clock, people, settings, tree

__all__ = ["clock", "people", "settings", "tree"]
