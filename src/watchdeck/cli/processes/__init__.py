"""Commands that run a process until it ends: the console, the collector, the demo."""
