"""Measures the relay, and Janus beside it: the same load, the same subscribers, the same figures."""
