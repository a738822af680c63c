"""Evaluation of rules: targets, conditions, sample windows, burn rates and baselines."""
