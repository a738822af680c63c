"""The open alerts of a store and their timers."""
