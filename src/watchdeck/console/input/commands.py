"""The commands of `:` and of the palette: one table, read by both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, field

from watchdeck.console.theme import layouts
from watchdeck.domain.board.change import SAID
from watchdeck.domain.values.text import clean


class CompletionContext(Struct, frozen=True):
    """What commands can be about right now; `focus` is the model and the moment in view."""

    models: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    focus: str = ""


def _nothing(_known: CompletionContext) -> Sequence[str]:
    return ()


class Command(Struct, frozen=True):
    """One verb: the app's action that it is, what it does in words, and what may follow it.

    `takes` names what follows, or is empty; `free` takes any text, else it is one of `choices`.
    `bare` tells that nothing has to follow.
    """

    name: str
    action: str
    words: str
    takes: str = ""
    choices: Callable[[CompletionContext], Sequence[str]] = field(default=_nothing)
    free: bool = False
    bare: bool = False


COMMANDS = (
    Command("model", "model", "Open a model", "NAME", lambda known: known.models),
    Command("deck", "mode_deck", "Everything, worst first"),
    Command("models", "mode_models", "The table of models"),
    Command("alerts", "mode_alerts", "The alerts, most urgent first"),
    Command("filter", "filter", "Show some models only", "TEXT", lambda k: k.filters, free=True),
    Command("sort", "sort", "Sort the models by a column", "COLUMN", lambda known: known.columns),
    Command("theme", "theme", "Other colours", "NAME", lambda known: known.themes),
    Command("layout", "layout", "Other panels", "NAME", lambda _known: layouts.NAMES),
    Command("at", "seek", "Show a moment of the past", "TIME", free=True),
    Command("live", "live", "Show now"),
    Command("changes", "changes", "What changed in the 30 minutes before"),
    Command(
        "change",
        "change",
        "Mark a change of the model in focus",
        "TEXT",
        lambda _known: tuple(f"--what {kind} " for kind in SAID),
        free=True,
    ),
    Command("ack", "ack", "Take the chosen alerts: [2h] [NOTE]", "NOTE", free=True, bare=True),
    Command("takeover", "takeover", "Take the chosen alerts from who has them"),
    Command("unack", "unack", "Give the chosen alerts back"),
    Command("escalate", "escalate", "Tell those who come next of the chosen alerts"),
    Command("resolve", "resolve", "End the chosen alerts by hand", "NOTE", free=True),
    Command("note", "note", "Write a note on the chosen alerts", "TEXT", free=True),
    Command("silence", "silence", "Tell nobody: model=NAME 2h REASON", "WHICH", free=True),
    Command("unsilence", "unsilence", "End a silence", "NUMBER", free=True),
    Command("pin", "pin", "Pin a known issue: model=NAME 1d TEXT", "WHAT", free=True),
    Command("unpin", "unpin", "Take a known issue away", "NUMBER", free=True),
    Command("undo", "undo", "Take back what was just done"),
    Command("edit", "edit", "Edit the configuration, and have it checked"),
    Command("meter", "meter", "What goes over the link to this terminal, or no longer"),
    Command("help", "help", "The keys that work here"),
    Command("redraw", "redraw", "Draw the screen anew"),
    Command("quit", "quit", "Leave; the collector goes on"),
)
"""Every command; one whose action the app does not have is not offered."""

MOST = 8


class CommandError(ValueError):
    """A line that is no command: what is wrong, at which character, and what would work."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


class ParsedCommand(Struct, frozen=True):
    """A command as it was given, with what follows it."""

    command: Command
    text: str = ""


def parse(
    line: str, known: CompletionContext, commands: Sequence[Command] = COMMANDS
) -> ParsedCommand:
    """What a line asks for; a beginning that one command alone has is enough.

    Raises CommandError.
    """
    name, _, rest = line.strip().partition(" ")
    text = rest.strip()
    found = [one for one in commands if one.name == name] or [
        one for one in commands if name and one.name.startswith(name)
    ]
    if len(found) != 1:
        raise CommandError(0, _unknown(name, [one.name for one in found or commands]))
    command = found[0]
    if text and not command.takes:
        raise CommandError(len(name) + 1, f"nothing follows {command.name}")
    if command.takes and not text and not command.bare:
        raise CommandError(len(line), f"{command.name} needs a {command.takes}")
    if command.takes and not command.free and text not in command.choices(known):
        raise CommandError(len(name) + 1, _unknown(text, command.choices(known)))
    return ParsedCommand(command, text)


def _unknown(given: str, choices: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(given, choices, 1)
    if near:
        return f"there is no {clean(given, 40)!r}. Did you mean {near[0]!r}?"
    if not choices:
        return "there is nothing to choose from here"
    more = ", …" if len(choices) > MOST else ""
    return f"choose one of {', '.join(choices[:MOST])}{more}"


def completions(
    line: str, known: CompletionContext, commands: Sequence[Command] = COMMANDS
) -> tuple[str, ...]:
    """The whole lines that this beginning can become, best first."""
    name, space, rest = line.lstrip().partition(" ")
    if not space:
        return tuple(
            f"{one.name} " if one.takes else one.name
            for one in commands
            if one.name.startswith(name)
        )
    command = next((one for one in commands if one.name == name), None)
    choices = command.choices(known) if command else ()
    begun = [choice for choice in choices if choice.casefold().startswith(rest.casefold())]
    inside = [c for c in choices if rest.casefold() in c.casefold() and c not in begun]
    return tuple(f"{name} {choice}" for choice in (*begun, *inside))


def hint(line: str, known: CompletionContext, commands: Sequence[Command] = COMMANDS) -> str:
    """What a beginning can become; where any text follows, what is done with it."""
    lines = completions(line, known, commands)
    if lines:
        return "  ".join(one.strip() for one in lines[:MOST])
    name = line.partition(" ")[0]
    command = next((one for one in commands if one.name == name and one.free), None)
    if command is None:
        return ""
    return f"{command.words}: {known.focus}" if command.name == "change" else command.words


def entries(
    known: CompletionContext, commands: Sequence[Command] = COMMANDS
) -> Iterator[tuple[str, str]]:
    """Every line that the palette offers, with its words: models first, then views and actions.

    One that ends with a blank is a beginning: any text may follow.
    """
    for command in commands:
        if command.free:
            yield f"{command.name} ", command.words
        if command.takes:
            yield from ((f"{command.name} {one}", command.words) for one in command.choices(known))
        else:
            yield command.name, command.words


def found(typed: str, lines: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The lines that have these letters in this order, the closest together first."""
    wanted = typed.casefold().replace(" ", "")
    scored = [(_spread(wanted, line.casefold()), place) for place, (line, _) in enumerate(lines)]
    return tuple(lines[place] for spread, place in sorted(scored) if spread >= 0)


def _spread(wanted: str, text: str) -> int:
    """How far apart the letters stand, and how late the first; -1 when they are not all there."""
    if not wanted:
        return 0
    best = -1
    for start in (at for at, letter in enumerate(text[:80]) if letter == wanted[0]):
        end = _end(wanted, text, start)
        if end < 0:
            break
        spread = 10 * (end - start - len(wanted)) + start
        best = spread if best < 0 else min(best, spread)
    return best


def _end(wanted: str, text: str, start: int) -> int:
    at = start
    for letter in wanted:
        at = text.find(letter, at) + 1
        if not at:
            return -1
    return at
