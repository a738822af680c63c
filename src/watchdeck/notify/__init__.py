"""Empties the outbox: tells others, at least once, and in order."""
