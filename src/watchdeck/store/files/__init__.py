"""SQLite files on disk: directory, connections, copies, reserved space."""
