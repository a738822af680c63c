"""The simulated fleet: real HTTP servers on loopback, and the scenario they play."""
