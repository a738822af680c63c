"""Twelve weeks of history for the simulated fleet, written before the demo starts."""
