"""The screen of changes before a moment."""
