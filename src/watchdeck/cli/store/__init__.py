"""Commands on the store: export, backup, audit, doctor."""
