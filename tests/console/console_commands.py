"""The table of commands of a console, for tests that need no screen."""

from console.boards import Store, clock, settings
from watchdeck.console.app import Console

COMMANDS = Console(Store(), clock=clock, settings=settings()).command_line.table
