"""The page of what changed before a moment."""
