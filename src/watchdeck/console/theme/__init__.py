"""Colours, text styles and panel layouts of the console."""
