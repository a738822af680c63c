"""Sends the messages of the outbox to receivers, at least once and in order."""
