"""Terminal output: only changed cells, never faster than the link, no unsafe characters."""
