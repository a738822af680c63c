"""Commands on alerting rules: list, check, test on stored history, statistics."""
