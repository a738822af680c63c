"""Lines of text for panels, made by pure functions: no Textual, no clock."""
