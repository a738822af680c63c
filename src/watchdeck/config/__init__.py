"""TOML files made into domain types; every problem is reported at once."""
