"""Hostile inputs for every parser of bytes or text from outside, by the place of the parser."""
