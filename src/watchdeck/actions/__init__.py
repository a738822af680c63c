"""One function an operator verb; keys and commands call the same one."""
