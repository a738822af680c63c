"""Readers of files, typed tables, secrets, kinds and calendars."""
