"""Storage: all SQL and files. metrics.db has many small rows, state.db few that nobody may lose."""
