"""The errors that users see; each text says what was asked, why it failed, and what works."""


class WatchdeckError(Exception):
    """The base of all errors that users see as plain sentences, without a traceback."""

    exit_code: int = 1


class ConfigError(WatchdeckError):
    """A configuration that cannot be used; the text lists every problem, one a line."""


class StoreError(WatchdeckError):
    """A store that cannot be opened, read or written."""


class StoreMissing(StoreError):
    """No store in the given directory, or its files were deleted."""


class StoreBehind(StoreError):
    """The store is of an older watchdeck; the collector, or a command that writes, migrates it."""


class StoreTooNew(StoreError):
    """The store was written by a newer watchdeck; the text names both version numbers."""


class StoreCorrupt(StoreError):
    """A file of the store is damaged, or is not a watchdeck store."""


class StoreFull(StoreError):
    """The disk has no room left for the store."""


class CollectorRunning(WatchdeckError):
    """Another collector holds the store's lock; the text names its process."""
