"""Sends what is in the outbox to receivers, at least once and in order."""
