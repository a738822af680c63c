"""Rules replayed on stored history, and how well rules did."""
