"""Pages of `watchdeck help`, as text and as parts."""

from watchdeck.cli.help.command import reference_of
from watchdeck.cli.help.layout import Entry, Section, render


def page(topic: str, width: int = 80) -> str:
    """A whole topic as it is printed."""
    return render(reference_of(topic), width)


def section(topic: str, name: str) -> Section:
    """The section of a topic that has this name."""
    return next(one for one in reference_of(topic).sections if name in one.names)


def entries(topic: str, name: str) -> dict[str, Entry]:
    """The entries of a section, by the word that asks for each."""
    return {entry.name: entry for entry in section(topic, name).entries}
