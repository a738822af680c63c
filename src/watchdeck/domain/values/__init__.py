"""Values that every subject uses: units, times, severities, matchers, texts."""
