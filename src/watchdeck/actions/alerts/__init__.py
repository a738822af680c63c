"""Actions on alerts: acknowledge, silence, resolve, escalate, undo."""
