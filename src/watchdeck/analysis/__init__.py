"""Heavy arithmetic (numpy, scipy, pandas) over the store, never on the start path."""
