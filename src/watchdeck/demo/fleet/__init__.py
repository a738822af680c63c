"""The simulated fleet: HTTP servers on loopback with traffic, counters and metrics pages."""
