"""What goes to the terminal: only cells that changed, never faster than the link, nothing raw."""
