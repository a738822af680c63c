"""The screens: which panels, where; a mode is a stack of screens."""
