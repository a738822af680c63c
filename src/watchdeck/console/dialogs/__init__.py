"""Screens over any mode: help, command palette, problems of the configuration."""
