"""Hears other systems: an intake that they send to, and a poller of Alertmanagers."""
