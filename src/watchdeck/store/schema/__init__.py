"""The tables of both files as numbered steps."""
