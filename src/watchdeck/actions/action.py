"""What an action of an operator is: how it is asked for, by whom, and what it runs."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from watchdeck.actions.actor import ActorRole
from watchdeck.actions.arguments import Selection
from watchdeck.actions.requests import ActionRequest


class Subject(StrEnum):
    """What an action needs on the screen where it is asked for."""

    OPEN_ALERTS = "open alerts"
    ALERTS = "alerts"
    MODEL = "a model"
    NOTHING = "nothing"


class Place(StrEnum):
    """Where in the console the key of an action works."""

    ALERTS = "about alerts"
    DECK = "deck"
    EVERYWHERE = "everywhere"


class ActionKey(Struct, frozen=True):
    """A key of the console that asks for an action.

    Attributes:
        id: Stable name, by which a person remaps the key.
        begins: Text that is put on the command line to be finished; empty: the key acts at once.
            `{labels}` and `{model}` stand for those of the chosen alerts.
        text: Stands in for what would be typed after the action's name.
        footer: The word in the last line of the screen, or empty.
    """

    id: str
    key: str
    words: str
    footer: str = ""
    where: Place = Place.ALERTS
    begins: str = ""
    text: str = ""


class Form(StrEnum):
    """How an argument is written in the shell."""

    ALERTS = "alerts"
    ALERT = "one alert"
    MATCHERS = "labels"
    NUMBER = "number"
    LENGTH = "length of time"
    TEXT = "text"
    FLAG = "flag"
    FEEDBACK = "feedback"


class ShellArgument(Struct, frozen=True):
    """An argument or option of a shell command, and the field of the request that it fills."""

    field: str
    name: str
    form: Form
    help: str = ""
    is_required: bool = False


class Shell(Struct, frozen=True):
    """An action in the shell: `command` ARGUMENTS.

    Attributes:
        summary: Its line in the list of commands.
        help: The first line of its own help.
        option: An option of `command`, which is another action's, that asks for this one instead.
        beside: The other action is also run when its text is given.
    """

    command: str
    summary: str = ""
    help: str = ""
    arguments: tuple[ShellArgument, ...] = ()
    option: ShellArgument | None = None
    beside: bool = False


class Action(Struct, frozen=True):
    """One thing that an operator does: asked for by a key, a command or a request.

    Attributes:
        name: Its name after `:` and in a request.
        request: The type of its arguments.
        parse: Reads what is typed after its name. Raises ArgumentError.
        words: What it does, for the palette.
        takes: What follows its name, or empty; with `is_bare` it may also be left out.
        choices: Beginnings of what follows, offered as completions.
        is_typed: It can be asked for by name in the console.
        can_undo: The key `u` undoes it for ten seconds.
        role: Who may do it.
    """

    name: str
    request: type[ActionRequest]
    parse: Callable[[str, Selection], ActionRequest]
    words: str
    subject: Subject
    takes: str = ""
    is_bare: bool = False
    choices: tuple[str, ...] = ()
    is_typed: bool = True
    keys: tuple[ActionKey, ...] = ()
    shell: Shell | None = None
    can_undo: bool = True
    role: ActorRole = ActorRole.OPERATOR
