"""Widgets that every mode uses: panels, lists, prompts, the base of every screen."""
