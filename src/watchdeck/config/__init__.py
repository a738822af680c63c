"""Reads TOML files into domain types, and reports every problem at once."""
