"""Frozen types and pure functions: no I/O and no clock; the time is an argument."""
