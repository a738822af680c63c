"""Writers of a commented watchdeck.toml and of a systemd unit."""
