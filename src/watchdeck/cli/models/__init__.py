"""Commands on models: the status of the fleet, and markers of changes."""
