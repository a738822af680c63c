"""What the console knows: the newest board, the view state, queries, other consoles."""
