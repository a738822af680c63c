"""Alerts: identity, episodes, life cycle, acknowledgement, silences, maintenance, muting."""
