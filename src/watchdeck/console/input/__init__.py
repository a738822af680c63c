"""Keys, commands and times, as a person types them."""
