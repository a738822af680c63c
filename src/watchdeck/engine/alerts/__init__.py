"""The open alerts of a store, and their timers such as expiries and escalations."""
