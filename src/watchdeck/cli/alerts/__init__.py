"""Commands on alerts, and how alerts are printed."""
