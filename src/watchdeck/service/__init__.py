"""The loops that run inside the collector process, and their only wiring."""
