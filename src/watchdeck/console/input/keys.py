"""The one table of keys: bindings, footer and help are made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.actions.action import Place
from watchdeck.actions.table import ACTIONS
from watchdeck.console.input.key_names import key_caption

if TYPE_CHECKING:
    from textual.binding import BindingType

MODES = (("1", "deck"), ("2", "models"), ("3", "alerts"))
"""The digit and the name of every mode there is."""

NEVER = ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q")
"""Keys that no binding may use: prefixes of tmux and screen, and flow control."""


class KeyScope(StrEnum):
    """The screen, or the group of screens, on which a key works."""

    EVERYWHERE = "everywhere"
    """On every screen but the palette, where letters are typed."""
    LIST = "in a list"
    """On every screen with rows."""
    CHOICE = "in a list with marks"
    """In the lists of models and of alerts."""
    FLEET = "in a list of models"
    """On the deck and in the table of models."""
    DECK = "deck"
    """On the deck, the first screen."""
    MODELS = "models"
    """In the table of models."""
    ALERT_ACTIONS = "about alerts"
    """In the list of alerts and on the page of an alert: the row under the cursor, or all marked
    rows."""
    ALERTS = "alerts"
    """In the list of alerts."""
    ALERT = "alert"
    """On the page of an alert."""
    DETAIL = "model"
    """On the page of a model."""
    BEFORE = "what changed"
    """In the list of recent changes."""
    HELP = "help"
    """On the help screen."""
    PALETTE = "palette"
    """In the palette."""
    EXCHANGE = "answers"
    """On the page of the last raw responses of a server."""
    PROBLEMS = "problems"
    """In the list of problems of an edited configuration."""


class Key(Struct, frozen=True):
    """A key binding.

    Attributes:
        id: Stable name, by which the configuration sets other keys.
        keys: Keys as Textual names them, a comma between.
        action: Textual's action; `run` calls the application's function for the id.
        words: Description in the help.
        footer: Short word in the last line of the screen; empty: the key is not shown there.
        opens: Whether it opens a screen or prompt, so that keys typed next wait for that.
    """

    id: str
    keys: str
    action: str
    words: str
    where: KeyScope
    footer: str = ""
    opens: bool = False


def _anywhere(name: str, keys: str, words: str, footer: str = "", *, opens: bool = False) -> Key:
    return Key(name, keys, f"run({name!r})", words, KeyScope.EVERYWHERE, footer, opens)


def _action_keys(*where: Place) -> list[Key]:
    """The keys of the operator's actions that work in these places."""
    return [
        Key(key.id, key.key, f"app.run({key.id!r})", key.words, KeyScope(key.where), key.footer)
        for action in ACTIONS
        for key in action.keys
        if key.where in where
    ]


KEYS = (
    Key(
        "deck.open",
        "enter",
        "open",
        "Open the model under the cursor",
        KeyScope.DECK,
        "open",
        opens=True,
    ),
    Key(
        "models.open",
        "enter",
        "open",
        "Open the model under the cursor",
        KeyScope.MODELS,
        "open",
        opens=True,
    ),
    *_action_keys(Place.DECK),
    Key(
        "alerts.open",
        "enter",
        "open",
        "Open the alert, or fold a group",
        KeyScope.ALERTS,
        "open",
        opens=True,
    ),
    Key("alert.model", "m", "model", "Open its model", KeyScope.ALERT, "model"),
    Key("alert.back", "escape", "back", "Back to where you came from", KeyScope.ALERT, "back"),
    *_action_keys(Place.ALERTS),
    Key("models.sort", "s", "sort(1)", "Sort by the next column", KeyScope.FLEET, "sort"),
    Key("models.sort_back", "R", "sort(-1)", "Sort by the column before", KeyScope.FLEET),
    Key("models.turn", "r", "turn", "Reverse the order", KeyScope.FLEET),
    Key("list.mark", "v", "mark", "Mark the row and go on", KeyScope.CHOICE),
    Key("list.mark_all", "V", "mark_all", "Mark all that is shown, or none", KeyScope.CHOICE),
    Key("list.filter", "slash", "filter", "Filter the list", KeyScope.CHOICE, "filter", opens=True),
    Key("list.down", "down,j", "move(1)", "Next row", KeyScope.LIST),
    Key("list.up", "up,k", "move(-1)", "Previous row", KeyScope.LIST),
    Key("list.page_down", "pagedown,ctrl+d", "page(1)", "One page down", KeyScope.LIST),
    Key("list.page_up", "pageup,ctrl+u", "page(-1)", "One page up", KeyScope.LIST),
    Key("list.first", "home,g", "first", "First row, and stay there", KeyScope.LIST),
    Key("list.last", "end,G", "last", "Last row", KeyScope.LIST),
    Key("detail.next", "tab,right", "signal(1)", "Next signal", KeyScope.DETAIL, "next signal"),
    Key("detail.previous", "shift+tab,left", "signal(-1)", "Previous signal", KeyScope.DETAIL),
    Key("detail.wider", "minus", "zoom(1)", "Look further back", KeyScope.DETAIL, "wider"),
    Key("detail.closer", "plus,equals_sign", "zoom(-1)", "Look closer", KeyScope.DETAIL, "closer"),
    Key(
        "chart.left",
        "h,shift+left",
        "read(-1)",
        "Read the chart to the left",
        KeyScope.DETAIL,
        "read",
    ),
    Key("chart.right", "l,shift+right", "read(1)", "Read to the right, then off", KeyScope.DETAIL),
    Key(
        "chart.compare",
        "c",
        "compare",
        "Compare with yesterday, last week, before a change",
        KeyScope.DETAIL,
        "compare",
    ),
    Key("detail.back", "escape", "back", "Back to where you came from", KeyScope.DETAIL, "back"),
    Key(
        "detail.answers",
        "x",
        "answers",
        "The last responses of the server",
        KeyScope.DETAIL,
        opens=True,
    ),
    Key("answers.down", "down,j", "scroll(1)", "Next line", KeyScope.EXCHANGE),
    Key("answers.up", "up,k", "scroll(-1)", "Previous line", KeyScope.EXCHANGE),
    Key("answers.page_down", "pagedown,ctrl+d", "page(1)", "One page down", KeyScope.EXCHANGE),
    Key("answers.page_up", "pageup,ctrl+u", "page(-1)", "One page up", KeyScope.EXCHANGE),
    Key("answers.pager", "P", "pager", "Read it in your $PAGER", KeyScope.EXCHANGE, "pager"),
    Key("answers.back", "escape", "back", "Back to the model", KeyScope.EXCHANGE, "back"),
    Key(
        "changes.open",
        "enter",
        "open",
        "Open the model of this change",
        KeyScope.BEFORE,
        "open",
        opens=True,
    ),
    Key("changes.back", "escape", "back", "Back to where you came from", KeyScope.BEFORE, "back"),
    Key("problems.edit", "enter", "edit", "Edit the file again", KeyScope.PROBLEMS, "edit"),
    Key(
        "problems.back", "escape", "back", "Back to where you came from", KeyScope.PROBLEMS, "back"
    ),
    Key("palette.choose", "enter", "choose", "Go there, or do it", KeyScope.PALETTE, "go"),
    Key("palette.back", "escape", "back", "Close the palette", KeyScope.PALETTE, "back"),
    Key("help.back", "escape", "back", "Close the help", KeyScope.HELP, "back"),
    _anywhere("mode.deck", "1", "The deck: everything, worst first"),
    _anywhere("mode.models", "2", "The table of models"),
    _anywhere("mode.alerts", "3", "The alerts"),
    *_action_keys(Place.EVERYWHERE),
    _anywhere("help.open", "question_mark", "The keys that work here", "help", opens=True),
    _anywhere("command", "colon", "Type a command", opens=True),
    _anywhere("palette", "ctrl+p", "Find a model, view or command", opens=True),
    _anywhere("changes.before", "b", "What changed in the 30 minutes before", opens=True),
    _anywhere("time.back", "left_square_bracket", "A step into the past"),
    _anywhere("time.on", "right_square_bracket", "A step towards now"),
    _anywhere("time.seek", "S", "Go to a time", opens=True),
    _anywhere("time.play", "space", "Play or pause the past"),
    _anywhere("time.faster", "greater_than_sign", "Play faster"),
    _anywhere("time.slower", "less_than_sign", "Play slower"),
    _anywhere("time.live", "L", "Back to now"),
    _anywhere("panel.jump", "f", "Go to a panel by its letter", opens=True),
    _anywhere("panel.zoom", "z", "One panel on the whole screen"),
    _anywhere("theme.next", "T", "The next theme"),
    _anywhere("screen.redraw", "ctrl+l", "Redraw the screen"),
    _anywhere("copy", "y", "Copy the row under the cursor"),
    _anywhere("suspend", "ctrl+z", "Suspend; `fg` resumes"),
    _anywhere("quit", "Q", "Leave; the collector goes on", "quit"),
    _anywhere("quit.hint", "ctrl+c", "Show how to leave"),
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

WITH_ALERT_ACTIONS = (KeyScope.ALERTS, KeyScope.ALERT)
"""The screens with keys for actions on alerts."""

SCREENS = (*LISTS, KeyScope.EXCHANGE)
"""The screens on which EVERYWHERE keys work: not the palette, where letters are typed."""


def bindings(*where: KeyScope) -> list[BindingType]:
    """The keys of these scopes as Textual's bindings."""
    from textual.binding import Binding  # 190 ms: too slow for commands that only list keys

    return [
        Binding(key.keys, key.action, key.words, show=False, id=key.id)
        for key in KEYS
        if key.where in where
    ]


def active_keys(where: KeyScope, keys: Iterable[Key] = KEYS) -> tuple[Key, ...]:
    """The bindings that work on a screen: its own, those of its lists, those of all screens."""
    table = tuple(keys)
    return tuple(key for place in _scopes(where) for key in table if key.where is place)


def _scopes(where: KeyScope) -> tuple[KeyScope, ...]:
    """The scopes whose keys work on a screen; in the palette only its own."""
    if where is KeyScope.PALETTE:
        return (where,)
    fleet = (KeyScope.FLEET,) if where in FLEETS else ()
    choice = (KeyScope.CHOICE,) if where in CHOICES else ()
    actions = (KeyScope.ALERT_ACTIONS,) if where in WITH_ALERT_ACTIONS else ()
    lists = (KeyScope.LIST,) if where in LISTS else ()
    return (where, *actions, *fleet, *choice, *lists, KeyScope.EVERYWHERE)


def footer(where: KeyScope, keys: Iterable[Key] = KEYS) -> tuple[tuple[str, str], ...]:
    """For the last line of a screen: the first key and the short word of each binding."""
    shown = [key for key in active_keys(where, keys) if key.footer]
    return tuple((display(key).split()[0], key.footer) for key in shown)


def display(key: Key) -> str:
    """The keys of a binding as they are printed on a keyboard: `PgDn Ctrl+d`."""
    return " ".join(key_caption(name) for name in key.keys.split(","))


def key_label(name: str, keys: Iterable[Key] = KEYS) -> str:
    """The first key of the binding with this id, as it is printed on a keyboard."""
    return next(display(key).split()[0] for key in keys if key.id == name)


def key_conflicts(keys: Iterable[Key] = KEYS) -> Iterator[tuple[KeyScope, str, tuple[Key, ...]]]:
    """Every key with several bindings on one screen: the screen, the key, the bindings."""
    table = tuple(keys)
    for where in SCREENS:
        found = defaultdict(list)
        for key in active_keys(where, table):
            for name in key.keys.split(","):
                found[name].append(key)
        yield from ((where, name, tuple(those)) for name, those in found.items() if those[1:])
