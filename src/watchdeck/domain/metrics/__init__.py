"""Series and their selectors, scrapes, and signals."""
