"""A store on disk: its directory and lock, its SQLite files, and the disk below."""
