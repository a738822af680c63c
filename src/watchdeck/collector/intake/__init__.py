"""Alerts of other systems: the webhook receiver, and the poller of Alertmanagers."""
