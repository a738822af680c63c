"""Signals derived from a page: plans, formulas, counter windows, probes."""
