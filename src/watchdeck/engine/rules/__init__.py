"""The evaluation of rules: targets, windows, conditions, burn rates, baselines."""
