"""The deck: what is urgent, the fleet at a glance, the collector."""
