"""Checks of each table of the configuration, all problems at once."""
