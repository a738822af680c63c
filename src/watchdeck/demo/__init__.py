"""The demo: a fleet of HTTP servers on loopback, twelve weeks of history, and live incidents."""
