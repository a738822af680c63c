"""Alerting rules: conditions, their parser and printer, limits."""
