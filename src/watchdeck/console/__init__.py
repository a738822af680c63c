"""The Textual console: reads boards, calls actions."""
