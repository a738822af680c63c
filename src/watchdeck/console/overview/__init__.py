"""The overview: urgent alerts, the fleet, impact, changes, the collector."""
