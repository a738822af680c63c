"""The reference of the console's keys, generated from its one table of keys."""

from watchdeck.cli.help.docstrings import field_docstrings
from watchdeck.cli.help.layout import Entry, Reference, Section
from watchdeck.cli.help.type_words import listed
from watchdeck.console.input.key_names import key_caption
from watchdeck.console.input.keys import KEYS, NEVER, Key, KeyScope, display

SAMPLE = """\
[console.keys]
"theme.next" = "F5"
"list.down" = "down, j, ctrl+n"
"ack.set" = "a, F2"
"""


def reference() -> Reference:
    """The reference of keys: a section for each screen or group of screens."""
    return Reference(
        "watchdeck help keys: the keys of the console",
        (
            (
                "Each line ends with the id of the binding. `?` in the console shows the keys that"
                " work on the screen in view; `:` takes commands by name, and Tab completes them."
            ),
        ),
        (*map(_scope_section, _scopes()), _remapping_section()),
    )


def _scopes() -> list[KeyScope]:
    """The scopes, those of all screens first."""
    return sorted(KeyScope, key=lambda scope: scope is not KeyScope.EVERYWHERE)


def _scope_section(scope: KeyScope) -> Section:
    entries = tuple(_entry(key) for key in KEYS if key.where is scope)
    means = field_docstrings(KeyScope)[scope.name]
    names = (scope.value.replace(" ", "-"), scope.name.lower())
    return Section(names, scope.value.capitalize(), (means,), entries)


def _entry(key: Key) -> Entry:
    return Entry(display(key), (f"{key.words}  [{key.id}]",), key.id)


def _remapping_section() -> Section:
    return Section(
        ("remap",),
        "Other keys",
        (
            (
                "The configuration replaces the keys of a binding by its id; several keys have a"
                " comma between. A key with two meanings on one screen is a problem that"
                " `watchdeck check` reports, and then all default keys are used."
            ),
            (
                f"Never used are {listed(map(key_caption, NEVER))}: tmux, screen or the flow"
                " control of the terminal takes them."
            ),
        ),
        sample=SAMPLE,
    )
