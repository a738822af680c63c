"""The one table of keys: bindings, footer and help are made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from watchdeck.console.input.key_names import printed

if TYPE_CHECKING:
    from textual.binding import BindingType

MODES = (("1", "deck"), ("2", "models"), ("3", "alerts"))
"""The digit and the name of every mode there is."""

NEVER = ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q")
"""Prefixes of tmux and screen, and flow control: never a key of ours."""


class Where(StrEnum):
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


@dataclass(frozen=True, slots=True)
class Key:
    """One row: a stable id, the keys (comma between), the action, and what it does in words.

    `footer` is the short word in the last line of the screen, or empty.
    """

    id: str
    keys: str
    action: str
    words: str
    where: Where
    footer: str = ""


KEYS = (
    Key("deck.open", "enter", "open", "Open the model under the cursor", Where.DECK, "open"),
    Key("models.open", "enter", "open", "Open the model under the cursor", Where.MODELS, "open"),
    Key("deck.acknowledge", "a", "acknowledge", "Take the worst alert", Where.DECK, "ack"),
    Key("alerts.open", "enter", "open", "Open the alert, or fold a group", Where.ALERTS, "open"),
    Key("alert.model", "m", "model", "Open its model", Where.ALERT, "model"),
    Key("alert.back", "escape", "back", "Back to where you came from", Where.ALERT, "back"),
    Key("ack.set", "a", "acknowledge", "Take it, for as long as is usual", Where.HANDLING, "ack"),
    Key("ack.with", "A", "acknowledge_with", "Take it for a time, with a note", Where.HANDLING),
    Key("ack.takeover", "t", "take_over", "Take it from who has it", Where.HANDLING),
    Key("ack.end", "U", "unacknowledge", "Give it back", Where.HANDLING),
    Key("alert.escalate", "e", "escalate", "Tell those who come next", Where.HANDLING),
    Key("alert.silence", "s", "silence", "Silence it for a while", Where.HANDLING, "silence"),
    Key("alert.note", "n", "note", "Write a note", Where.HANDLING, "note"),
    Key("alert.resolve", "R", "resolve", "End it by hand, with a note", Where.HANDLING),
    Key("alert.pin", "P", "pin", "Pin a known issue on its model", Where.HANDLING),
    Key("alert.useful", "plus", "opine('useful')", "It was useful, now it is over", Where.HANDLING),
    Key("alert.noise", "minus", "opine('noise')", "It was noise", Where.HANDLING),
    Key("alert.late", "equals_sign", "opine('late')", "It came too late", Where.HANDLING),
    Key("models.sort", "s", "sort(1)", "Sort by the next column", Where.FLEET, "sort"),
    Key("models.sort_back", "R", "sort(-1)", "Sort by the column before", Where.FLEET),
    Key("models.turn", "r", "turn", "Sort the other way round", Where.FLEET),
    Key("list.mark", "v", "mark", "Mark the row and go on", Where.CHOICE),
    Key("list.mark_all", "V", "mark_all", "Mark all that is shown, or none", Where.CHOICE),
    Key("list.filter", "slash", "filter", "Filter the list", Where.CHOICE, "filter"),
    Key("list.down", "down,j", "move(1)", "Next row", Where.LIST),
    Key("list.up", "up,k", "move(-1)", "Previous row", Where.LIST),
    Key("list.page_down", "pagedown,ctrl+d", "page(1)", "One page down", Where.LIST),
    Key("list.page_up", "pageup,ctrl+u", "page(-1)", "One page up", Where.LIST),
    Key("list.first", "home,g", "first", "First row, and stay on it", Where.LIST),
    Key("list.last", "end,G", "last", "Last row", Where.LIST),
    Key("detail.next", "tab,right", "signal(1)", "Next signal", Where.DETAIL, "next signal"),
    Key("detail.previous", "shift+tab,left", "signal(-1)", "Previous signal", Where.DETAIL),
    Key("detail.wider", "minus", "zoom(1)", "Look back further", Where.DETAIL, "wider"),
    Key("detail.closer", "plus,equals_sign", "zoom(-1)", "Look closer", Where.DETAIL, "closer"),
    Key(
        "chart.left", "h,shift+left", "read(-1)", "Read the chart to the left", Where.DETAIL, "read"
    ),
    Key("chart.right", "l,shift+right", "read(1)", "Read to the right, and off", Where.DETAIL),
    Key(
        "chart.compare",
        "c",
        "compare",
        "Beside yesterday, last week, before a change",
        Where.DETAIL,
        "compare",
    ),
    Key("detail.back", "escape", "back", "Back to where you came from", Where.DETAIL, "back"),
    Key("detail.answers", "x", "answers", "What the server last answered", Where.DETAIL),
    Key("answers.down", "down,j", "scroll(1)", "Next line", Where.EXCHANGE),
    Key("answers.up", "up,k", "scroll(-1)", "Previous line", Where.EXCHANGE),
    Key("answers.page_down", "pagedown,ctrl+d", "page(1)", "One page down", Where.EXCHANGE),
    Key("answers.page_up", "pageup,ctrl+u", "page(-1)", "One page up", Where.EXCHANGE),
    Key("answers.pager", "P", "pager", "Read it in your $PAGER", Where.EXCHANGE, "pager"),
    Key("answers.back", "escape", "back", "Back to the model", Where.EXCHANGE, "back"),
    Key("changes.open", "enter", "open", "Open the model of this change", Where.BEFORE, "open"),
    Key("changes.back", "escape", "back", "Back to where you came from", Where.BEFORE, "back"),
    Key("problems.edit", "enter", "edit", "Edit the file again", Where.PROBLEMS, "edit"),
    Key("problems.back", "escape", "back", "Back to where you came from", Where.PROBLEMS, "back"),
    Key("palette.choose", "enter", "choose", "Go there, or do it", Where.PALETTE, "go"),
    Key("palette.back", "escape", "back", "Close the palette", Where.PALETTE, "back"),
    Key("help.back", "escape", "back", "Close the help", Where.HELP, "back"),
    Key("mode.deck", "1", "mode('deck')", "The deck: everything, worst first", Where.EVERYWHERE),
    Key("mode.models", "2", "mode('models')", "The table of models", Where.EVERYWHERE),
    Key("mode.alerts", "3", "mode('alerts')", "The alerts", Where.EVERYWHERE),
    Key("undo", "u", "undo", "Take back what was just done", Where.EVERYWHERE),
    Key("help.open", "question_mark", "help", "The keys that work here", Where.EVERYWHERE, "help"),
    Key("command", "colon", "command", "Give a command by name", Where.EVERYWHERE),
    Key("palette", "ctrl+p", "palette", "Find a model, view or command", Where.EVERYWHERE),
    Key(
        "changes.before", "b", "changes", "What changed in the 30 minutes before", Where.EVERYWHERE
    ),
    Key("time.back", "left_square_bracket", "step(-1)", "A step into the past", Where.EVERYWHERE),
    Key("time.on", "right_square_bracket", "step(1)", "A step towards now", Where.EVERYWHERE),
    Key("time.seek", "S", "seek", "Go to a time", Where.EVERYWHERE),
    Key("time.play", "space", "play", "Let the past run, or stand", Where.EVERYWHERE),
    Key("time.faster", "greater_than_sign", "hurry(1)", "Run faster", Where.EVERYWHERE),
    Key("time.slower", "less_than_sign", "hurry(-1)", "Run slower", Where.EVERYWHERE),
    Key("time.live", "L", "live", "Back to now", Where.EVERYWHERE),
    Key("panel.jump", "f", "jump", "Go to a panel by its letter", Where.EVERYWHERE),
    Key("panel.zoom", "z", "zoom_panel", "One panel on the whole screen", Where.EVERYWHERE),
    Key("theme.next", "T", "next_theme", "The next theme", Where.EVERYWHERE),
    Key("screen.redraw", "ctrl+l", "redraw", "Draw the screen anew", Where.EVERYWHERE),
    Key("copy", "y", "copy", "Copy the row under the cursor", Where.EVERYWHERE),
    Key("suspend", "ctrl+z", "suspend_process", "Stop here; fg comes back", Where.EVERYWHERE),
    Key("quit", "Q", "quit", "Leave; the collector goes on", Where.EVERYWHERE, "quit"),
    Key("quit.hint", "ctrl+c", "hint", "Says how to leave", Where.EVERYWHERE),
)
"""Every key of the console."""

LISTS = (
    *(Where.DECK, Where.MODELS, Where.ALERTS, Where.ALERT, Where.DETAIL, Where.BEFORE),
    *(Where.HELP, Where.PROBLEMS),
)
"""The screens with a list in them."""

FLEETS = (Where.DECK, Where.MODELS)
"""The screens with a list of models in them."""

CHOICES = (*FLEETS, Where.ALERTS)
"""The screens with a list that can be filtered, and whose rows can be marked."""

HANDLINGS = (Where.ALERTS, Where.ALERT)
"""The screens whose keys do something to alerts."""

SCREENS = (*LISTS, Where.EXCHANGE)
"""The screens with keys of everywhere; in the palette one types."""


def bindings(where: Where) -> list[BindingType]:
    """The bindings of one place, for Textual."""
    from textual.binding import Binding  # 190 ms, for commands that only ask which keys there are

    return [
        Binding(key.keys, key.action, key.words, show=False, id=key.id)
        for key in KEYS
        if key.where is where
    ]


def working(where: Where, keys: Iterable[Key] = KEYS) -> tuple[Key, ...]:
    """The keys that work on a screen: its own, those of its list, those of everywhere."""
    table = tuple(keys)
    return tuple(key for place in _places(where) for key in table if key.where is place)


def _places(where: Where) -> tuple[Where, ...]:
    """Where the keys of a screen are from; in the palette letters are only letters."""
    if where is Where.PALETTE:
        return (where,)
    fleet = (Where.FLEET,) if where in FLEETS else ()
    choice = (Where.CHOICE,) if where in CHOICES else ()
    handling = (Where.HANDLING,) if where in HANDLINGS else ()
    lists = (Where.LIST,) if where in LISTS else ()
    return (where, *handling, *fleet, *choice, *lists, Where.EVERYWHERE)


def footer(where: Where, keys: Iterable[Key] = KEYS) -> tuple[tuple[str, str], ...]:
    """Key and word for the last line of a screen."""
    shown = [key for key in working(where, keys) if key.footer]
    return tuple((display(key).split()[0], key.footer) for key in shown)


def display(key: Key) -> str:
    """The keys as they are printed on a keyboard: `PgDn Ctrl+d`."""
    return " ".join(printed(name) for name in key.keys.split(","))


def shown(name: str, keys: Iterable[Key] = KEYS) -> str:
    """The first key of a binding, by its id, as it is printed on a keyboard."""
    return next(display(key).split()[0] for key in keys if key.id == name)


def shared(keys: Iterable[Key] = KEYS) -> Iterator[tuple[Where, str, tuple[Key, ...]]]:
    """Every key that would do several things on one screen: where, its name, and what."""
    table = tuple(keys)
    for where in SCREENS:
        found = defaultdict(list)
        for key in working(where, table):
            for name in key.keys.split(","):
                found[name].append(key)
        yield from ((where, name, tuple(those)) for name, those in found.items() if those[1:])
