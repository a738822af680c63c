"""The loops of the collector process, and the code that connects them."""
