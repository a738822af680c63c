"""Series, scrapes, signals and quantiles."""
