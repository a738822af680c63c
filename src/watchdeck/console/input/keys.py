"""The one table of keys: bindings, footer and help are made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.console.input.key_names import key_caption

if TYPE_CHECKING:
    from textual.binding import BindingType

MODES = (("1", "deck"), ("2", "models"), ("3", "alerts"))
"""The digit and the name of every mode there is."""

NEVER = ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q")
"""Prefixes of tmux and screen, and flow control: never a key of ours."""


class KeyScope(StrEnum):
    """Where a key works."""

    EVERYWHERE = "everywhere"
    LIST = "in a list"
    CHOICE = "in a list with marks"
    FLEET = "in a list of models"
    DECK = "deck"
    MODELS = "models"
    HANDLING = "about alerts"
    ALERTS = "alerts"
    ALERT = "alert"
    DETAIL = "model"
    BEFORE = "what changed"
    HELP = "help"
    PALETTE = "palette"
    EXCHANGE = "answers"
    PROBLEMS = "problems"


class Key(Struct, frozen=True):
    """One row: a stable id, the keys (comma between), the action, and what it does in words.

    `footer` is the short word in the last line of the screen, or empty.
    """

    id: str
    keys: str
    action: str
    words: str
    where: KeyScope
    footer: str = ""


KEYS = (
    Key("deck.open", "enter", "open", "Open the model under the cursor", KeyScope.DECK, "open"),
    Key("models.open", "enter", "open", "Open the model under the cursor", KeyScope.MODELS, "open"),
    Key("deck.acknowledge", "a", "acknowledge", "Take the worst alert", KeyScope.DECK, "ack"),
    Key("alerts.open", "enter", "open", "Open the alert, or fold a group", KeyScope.ALERTS, "open"),
    Key("alert.model", "m", "model", "Open its model", KeyScope.ALERT, "model"),
    Key("alert.back", "escape", "back", "Back to where you came from", KeyScope.ALERT, "back"),
    Key(
        "ack.set", "a", "acknowledge", "Take it, for as long as is usual", KeyScope.HANDLING, "ack"
    ),
    Key("ack.with", "A", "acknowledge_with", "Take it for a time, with a note", KeyScope.HANDLING),
    Key("ack.takeover", "t", "take_over", "Take it from who has it", KeyScope.HANDLING),
    Key("ack.end", "U", "unacknowledge", "Give it back", KeyScope.HANDLING),
    Key("alert.escalate", "e", "escalate", "Tell those who come next", KeyScope.HANDLING),
    Key("alert.silence", "s", "silence", "Silence it for a while", KeyScope.HANDLING, "silence"),
    Key("alert.note", "n", "note", "Write a note", KeyScope.HANDLING, "note"),
    Key("alert.resolve", "R", "resolve", "End it by hand, with a note", KeyScope.HANDLING),
    Key("alert.pin", "P", "pin", "Pin a known issue on its model", KeyScope.HANDLING),
    Key(
        "alert.useful",
        "plus",
        "opine('useful')",
        "It was useful, now it is over",
        KeyScope.HANDLING,
    ),
    Key("alert.noise", "minus", "opine('noise')", "It was noise", KeyScope.HANDLING),
    Key("alert.late", "equals_sign", "opine('late')", "It came too late", KeyScope.HANDLING),
    Key("models.sort", "s", "sort(1)", "Sort by the next column", KeyScope.FLEET, "sort"),
    Key("models.sort_back", "R", "sort(-1)", "Sort by the column before", KeyScope.FLEET),
    Key("models.turn", "r", "turn", "Sort the other way round", KeyScope.FLEET),
    Key("list.mark", "v", "mark", "Mark the row and go on", KeyScope.CHOICE),
    Key("list.mark_all", "V", "mark_all", "Mark all that is shown, or none", KeyScope.CHOICE),
    Key("list.filter", "slash", "filter", "Filter the list", KeyScope.CHOICE, "filter"),
    Key("list.down", "down,j", "move(1)", "Next row", KeyScope.LIST),
    Key("list.up", "up,k", "move(-1)", "Previous row", KeyScope.LIST),
    Key("list.page_down", "pagedown,ctrl+d", "page(1)", "One page down", KeyScope.LIST),
    Key("list.page_up", "pageup,ctrl+u", "page(-1)", "One page up", KeyScope.LIST),
    Key("list.first", "home,g", "first", "First row, and stay on it", KeyScope.LIST),
    Key("list.last", "end,G", "last", "Last row", KeyScope.LIST),
    Key("detail.next", "tab,right", "signal(1)", "Next signal", KeyScope.DETAIL, "next signal"),
    Key("detail.previous", "shift+tab,left", "signal(-1)", "Previous signal", KeyScope.DETAIL),
    Key("detail.wider", "minus", "zoom(1)", "Look back further", KeyScope.DETAIL, "wider"),
    Key("detail.closer", "plus,equals_sign", "zoom(-1)", "Look closer", KeyScope.DETAIL, "closer"),
    Key(
        "chart.left",
        "h,shift+left",
        "read(-1)",
        "Read the chart to the left",
        KeyScope.DETAIL,
        "read",
    ),
    Key("chart.right", "l,shift+right", "read(1)", "Read to the right, and off", KeyScope.DETAIL),
    Key(
        "chart.compare",
        "c",
        "compare",
        "Beside yesterday, last week, before a change",
        KeyScope.DETAIL,
        "compare",
    ),
    Key("detail.back", "escape", "back", "Back to where you came from", KeyScope.DETAIL, "back"),
    Key("detail.answers", "x", "answers", "What the server last answered", KeyScope.DETAIL),
    Key("answers.down", "down,j", "scroll(1)", "Next line", KeyScope.EXCHANGE),
    Key("answers.up", "up,k", "scroll(-1)", "Previous line", KeyScope.EXCHANGE),
    Key("answers.page_down", "pagedown,ctrl+d", "page(1)", "One page down", KeyScope.EXCHANGE),
    Key("answers.page_up", "pageup,ctrl+u", "page(-1)", "One page up", KeyScope.EXCHANGE),
    Key("answers.pager", "P", "pager", "Read it in your $PAGER", KeyScope.EXCHANGE, "pager"),
    Key("answers.back", "escape", "back", "Back to the model", KeyScope.EXCHANGE, "back"),
    Key("changes.open", "enter", "open", "Open the model of this change", KeyScope.BEFORE, "open"),
    Key("changes.back", "escape", "back", "Back to where you came from", KeyScope.BEFORE, "back"),
    Key("problems.edit", "enter", "edit", "Edit the file again", KeyScope.PROBLEMS, "edit"),
    Key(
        "problems.back", "escape", "back", "Back to where you came from", KeyScope.PROBLEMS, "back"
    ),
    Key("palette.choose", "enter", "choose", "Go there, or do it", KeyScope.PALETTE, "go"),
    Key("palette.back", "escape", "back", "Close the palette", KeyScope.PALETTE, "back"),
    Key("help.back", "escape", "back", "Close the help", KeyScope.HELP, "back"),
    Key("mode.deck", "1", "mode('deck')", "The deck: everything, worst first", KeyScope.EVERYWHERE),
    Key("mode.models", "2", "mode('models')", "The table of models", KeyScope.EVERYWHERE),
    Key("mode.alerts", "3", "mode('alerts')", "The alerts", KeyScope.EVERYWHERE),
    Key("undo", "u", "undo", "Take back what was just done", KeyScope.EVERYWHERE),
    Key(
        "help.open", "question_mark", "help", "The keys that work here", KeyScope.EVERYWHERE, "help"
    ),
    Key("command", "colon", "command", "Give a command by name", KeyScope.EVERYWHERE),
    Key("palette", "ctrl+p", "palette", "Find a model, view or command", KeyScope.EVERYWHERE),
    Key(
        "changes.before",
        "b",
        "changes",
        "What changed in the 30 minutes before",
        KeyScope.EVERYWHERE,
    ),
    Key(
        "time.back", "left_square_bracket", "step(-1)", "A step into the past", KeyScope.EVERYWHERE
    ),
    Key("time.on", "right_square_bracket", "step(1)", "A step towards now", KeyScope.EVERYWHERE),
    Key("time.seek", "S", "seek", "Go to a time", KeyScope.EVERYWHERE),
    Key("time.play", "space", "play", "Let the past run, or stand", KeyScope.EVERYWHERE),
    Key("time.faster", "greater_than_sign", "hurry(1)", "Run faster", KeyScope.EVERYWHERE),
    Key("time.slower", "less_than_sign", "hurry(-1)", "Run slower", KeyScope.EVERYWHERE),
    Key("time.live", "L", "live", "Back to now", KeyScope.EVERYWHERE),
    Key("panel.jump", "f", "jump", "Go to a panel by its letter", KeyScope.EVERYWHERE),
    Key("panel.zoom", "z", "zoom_panel", "One panel on the whole screen", KeyScope.EVERYWHERE),
    Key("theme.next", "T", "next_theme", "The next theme", KeyScope.EVERYWHERE),
    Key("screen.redraw", "ctrl+l", "redraw", "Draw the screen anew", KeyScope.EVERYWHERE),
    Key("copy", "y", "copy", "Copy the row under the cursor", KeyScope.EVERYWHERE),
    Key("suspend", "ctrl+z", "suspend_process", "Stop here; fg comes back", KeyScope.EVERYWHERE),
    Key("quit", "Q", "quit", "Leave; the collector goes on", KeyScope.EVERYWHERE, "quit"),
    Key("quit.hint", "ctrl+c", "hint", "Says how to leave", KeyScope.EVERYWHERE),
)
"""Every key of the console."""

LISTS = (
    *(
        KeyScope.DECK,
        KeyScope.MODELS,
        KeyScope.ALERTS,
        KeyScope.ALERT,
        KeyScope.DETAIL,
        KeyScope.BEFORE,
    ),
    *(KeyScope.HELP, KeyScope.PROBLEMS),
)
"""The screens with a list in them."""

FLEETS = (KeyScope.DECK, KeyScope.MODELS)
"""The screens with a list of models in them."""

CHOICES = (*FLEETS, KeyScope.ALERTS)
"""The screens with a list that can be filtered, and whose rows can be marked."""

HANDLINGS = (KeyScope.ALERTS, KeyScope.ALERT)
"""The screens whose keys do something to alerts."""

SCREENS = (*LISTS, KeyScope.EXCHANGE)
"""The screens with keys of everywhere; in the palette one types."""


def bindings(where: KeyScope) -> list[BindingType]:
    """The bindings of one place, for Textual."""
    from textual.binding import Binding  # 190 ms, for commands that only ask which keys there are

    return [
        Binding(key.keys, key.action, key.words, show=False, id=key.id)
        for key in KEYS
        if key.where is where
    ]


def active_keys(where: KeyScope, keys: Iterable[Key] = KEYS) -> tuple[Key, ...]:
    """The keys that work on a screen: its own, those of its list, those of everywhere."""
    table = tuple(keys)
    return tuple(key for place in _places(where) for key in table if key.where is place)


def _places(where: KeyScope) -> tuple[KeyScope, ...]:
    """Where the keys of a screen are from; in the palette letters are only letters."""
    if where is KeyScope.PALETTE:
        return (where,)
    fleet = (KeyScope.FLEET,) if where in FLEETS else ()
    choice = (KeyScope.CHOICE,) if where in CHOICES else ()
    handling = (KeyScope.HANDLING,) if where in HANDLINGS else ()
    lists = (KeyScope.LIST,) if where in LISTS else ()
    return (where, *handling, *fleet, *choice, *lists, KeyScope.EVERYWHERE)


def footer(where: KeyScope, keys: Iterable[Key] = KEYS) -> tuple[tuple[str, str], ...]:
    """Key and word for the last line of a screen."""
    shown = [key for key in active_keys(where, keys) if key.footer]
    return tuple((display(key).split()[0], key.footer) for key in shown)


def display(key: Key) -> str:
    """The keys as they are printed on a keyboard: `PgDn Ctrl+d`."""
    return " ".join(key_caption(name) for name in key.keys.split(","))


def shown(name: str, keys: Iterable[Key] = KEYS) -> str:
    """The first key of a binding, by its id, as it is printed on a keyboard."""
    return next(display(key).split()[0] for key in keys if key.id == name)


def key_conflicts(keys: Iterable[Key] = KEYS) -> Iterator[tuple[KeyScope, str, tuple[Key, ...]]]:
    """Every key that would do several things on one screen: where, its name, and what."""
    table = tuple(keys)
    for where in SCREENS:
        found = defaultdict(list)
        for key in active_keys(where, table):
            for name in key.keys.split(","):
                found[name].append(key)
        yield from ((where, name, tuple(those)) for name, those in found.items() if those[1:])
