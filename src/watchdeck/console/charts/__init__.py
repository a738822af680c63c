"""Charts: axes, lines, legends, comparisons, sparklines."""
