"""The panels: each takes its slices, asks `draw` for lines, and shows those that changed."""
