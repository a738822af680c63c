"""Values that every subject uses: units, times, matchers, texts."""
