"""Storage in metrics.db: frames, segments, rollups, their history and their retention."""
