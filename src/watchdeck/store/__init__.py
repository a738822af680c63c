"""All SQL and every byte on disk: metrics.db holds many small facts, state.db few precious."""
