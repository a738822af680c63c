"""Kinds of server: how each is detected, and where its metrics and health are."""
