"""Signals derived from a metrics page: plans, formulas, counter windows, probes."""
