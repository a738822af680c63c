"""The models mode: the table, the detail page, the raw responses."""
