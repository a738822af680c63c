"""Commands that write and check a configuration."""
