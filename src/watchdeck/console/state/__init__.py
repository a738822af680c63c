"""The state of a console: the newest board, the view state, queries, other consoles."""
