"""Checks of the tables of a configuration, which list all problems at once."""
