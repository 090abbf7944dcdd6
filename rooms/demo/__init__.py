"""The demonstration: a made-up county whose term is laid around today, planned, published, with a past and a lesson that is due."""

from rooms.demo.loading import Demo, load_demo

__all__ = ["Demo", "load_demo"]
