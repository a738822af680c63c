"""Evaluates rules on the newest scrapes, and writes alerts, health and change markers."""
