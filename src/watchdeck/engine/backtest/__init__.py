"""Replay of rules over stored history, and statistics of their quality."""
