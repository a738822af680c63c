"""The description of an operator's action: its keys, its arguments, its shell command, its role."""

from enum import StrEnum

from msgspec import Struct

from watchdeck.actions.actor import ActorRole
from watchdeck.actions.requests import ActionRequest


class Subject(StrEnum):
    """The selection on a screen that an action needs before it can run."""

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
    """A key of the console that starts an action.

    Attributes:
        id: Stable name, by which the configuration remaps the key.
        words: What the key does, for the help.
        begins: Text that the key puts on the command line, for the person to finish; when empty,
            the key acts at once. `{labels}` and `{model}` are filled from the selected alerts.
        text: The arguments of the action, as if typed after its name.
        footer: The word for the key in the last line of the screen; empty: not shown there.
    """

    id: str
    key: str
    words: str
    footer: str = ""
    where: Place = Place.ALERTS
    begins: str = ""
    text: str = ""


class Form(StrEnum):
    """The form of an argument in the shell, which decides how its text is read."""

    ALERTS = "alerts"
    ALERT = "one alert"
    MATCHERS = "labels"
    NUMBER = "number"
    LENGTH = "length of time"
    TEXT = "text"
    FLAG = "flag"
    FEEDBACK = "feedback"


class ShellArgument(Struct, frozen=True):
    """An argument or option of a shell command; its value fills the request field named `field`."""

    field: str
    name: str
    form: Form
    help: str = ""
    is_required: bool = False


class Shell(Struct, frozen=True):
    """The shell command of an action: `watchdeck COMMAND ARGUMENTS`.

    Attributes:
        summary: The line of the command in the list of commands.
        help: The first line of the command's own help.
        option: When `command` belongs to another action, the option that runs this action instead.
        beside: With `option` and a text, the action that owns `command` runs too, before this one.
    """

    command: str
    summary: str = ""
    help: str = ""
    arguments: tuple[ShellArgument, ...] = ()
    option: ShellArgument | None = None
    beside: bool = False


class Action(Struct, frozen=True):
    """One thing that an operator does: started by a key, a command or a request.

    Attributes:
        name: The action's name after `:` and in a request.
        request: The type of the action's arguments.
        words: What the action does, for the palette.
        subject: The selection that the action needs.
        takes: A word for the arguments, such as `NOTE`; empty when the action has none.
        is_bare: The arguments may be left out.
        choices: Beginnings of arguments, offered as completions.
        is_typed: The action can be started by its name in the console.
        can_undo: The key `u` undoes the action for ten seconds.
        role: Who may run the action.
    """

    name: str
    request: type[ActionRequest]
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
