"""Colours, styles and layouts."""
