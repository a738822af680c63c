"""Tables of alerts: episodes, acknowledgements, silences, outbox, external events."""
