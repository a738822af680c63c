"""Alerts of other systems: payloads, sources, their life cycle, silence synchronisation."""
