"""Controllers: plain objects that the application owns, one for each subject."""
