"""The simulated fleet: real HTTP servers on loopback, twelve weeks of history, a live story."""
