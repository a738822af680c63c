"""The screen of changes in the half hour before a moment."""
