"""Controllers: plain objects beside the application, one subject each."""
