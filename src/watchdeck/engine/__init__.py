"""Reads the latest values, decides, and writes its decisions."""
