"""The tables of both database files, as numbered migration steps."""
