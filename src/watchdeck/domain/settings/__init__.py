"""The configuration as frozen types."""
