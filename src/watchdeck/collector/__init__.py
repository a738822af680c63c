"""The collector: scrapes endpoints, and receives or polls external alerts."""
