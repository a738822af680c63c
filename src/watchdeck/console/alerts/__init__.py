"""The alerts mode: the list, the detail page, and the keys that act on alerts."""
