"""metrics.db: frames, segments, rollups, history, retention."""
