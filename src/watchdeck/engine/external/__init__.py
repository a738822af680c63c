"""The evaluation of alerts of other systems, and the liveness of their sources."""
