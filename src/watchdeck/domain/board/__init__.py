"""The board that a console shows: health, changes, presence, filters."""
