"""Peers of our own: for the demonstration, tests, the benchmark, the cascade and encoders."""
