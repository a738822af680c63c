"""Commands typed after `:` or chosen in the palette: parsing, completion, hints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, field

from watchdeck.domain.values.text import clean


class CompletionContext(Struct, frozen=True):
    """The names that commands can take: models, themes, columns and saved filters.

    `columns` are those of the list of models in view; empty on other screens.
    """

    models: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


def _no_choices(_known: CompletionContext) -> Sequence[str]:
    return ()


def _no_hint(_text: str) -> str:
    return ""


class Command(Struct, frozen=True):
    """A command: its name, what it does in words, and the function that does it.

    Attributes:
        run: Called with the text after the name.
        takes: Name of that text in messages, such as NAME; empty: the command takes no text.
        choices: Function that returns the texts that may follow the name.
        is_free: Whether the command takes any text, not only `choices`.
        is_bare: Whether the text may be left out.
        hint: Function that says what a typed text would do; if empty, `words` are shown.
    """

    name: str
    words: str
    run: Callable[[str], object]
    takes: str = ""
    choices: Callable[[CompletionContext], Sequence[str]] = field(default=_no_choices)
    is_free: bool = False
    is_bare: bool = False
    hint: Callable[[str], str] = field(default=_no_hint)


MOST = 8


class CommandError(ValueError):
    """A typed line is not a command; the message says what would work.

    `position` is the index of the mistake in the line.
    """

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


class ParsedCommand(Struct, frozen=True):
    """A command as it was typed, with the text after its name."""

    command: Command
    text: str = ""


def parse(line: str, known: CompletionContext, commands: Sequence[Command]) -> ParsedCommand:
    """Parse a typed line; the name may be cut short while only one command begins so.

    Raises CommandError.
    """
    name, _, rest = line.strip().partition(" ")
    text = rest.strip()
    found = [one for one in commands if one.name == name] or [
        one for one in commands if name and one.name.startswith(name)
    ]
    if len(found) != 1:
        raise CommandError(0, _suggestion(name, [one.name for one in found or commands]))
    command = found[0]
    if text and not command.takes:
        raise CommandError(len(name) + 1, f"nothing follows {command.name}")
    if command.takes and not text and not command.is_bare:
        raise CommandError(len(line), f"{command.name} needs a {command.takes}")
    if command.takes and not command.is_free and text not in command.choices(known):
        raise CommandError(len(name) + 1, _suggestion(text, command.choices(known)))
    return ParsedCommand(command, text)


def _suggestion(given: str, choices: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(given, choices, 1)
    if near:
        return f"there is no {clean(given, 40)!r}. Did you mean {near[0]!r}?"
    if not choices:
        return "there is nothing to choose from here"
    more = ", …" if len(choices) > MOST else ""
    return f"choose one of {', '.join(choices[:MOST])}{more}"


def completions(
    line: str, known: CompletionContext, commands: Sequence[Command]
) -> tuple[str, ...]:
    """The lines that complete a typed line, each with its command's name, best first."""
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


def hint(line: str, known: CompletionContext, commands: Sequence[Command]) -> str:
    """The completions of a typed line as one text; without any, what it would do, or empty."""
    lines = completions(line, known, commands)
    if lines:
        return "  ".join(one.strip() for one in lines[:MOST])
    name, _, text = line.partition(" ")
    command = next((one for one in commands if one.name == name and one.is_free), None)
    return "" if command is None else command.hint(text) or command.words


def entries(known: CompletionContext, commands: Sequence[Command]) -> Iterator[tuple[str, str]]:
    """Every entry of the palette: a line and its description; models first, then views, actions.

    A line that ends with a blank is not complete: any text may follow.
    """
    for command in commands:
        if command.is_free:
            yield f"{command.name} ", command.words
        if command.takes:
            yield from ((f"{command.name} {one}", command.words) for one in command.choices(known))
        else:
            yield command.name, command.words


def found(typed: str, lines: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The lines that contain the typed letters in this order, closest together first."""
    wanted = typed.casefold().replace(" ", "")
    scored = [(_spread(wanted, line.casefold()), place) for place, (line, _) in enumerate(lines)]
    return tuple(lines[place] for spread, place in sorted(scored) if spread >= 0)


def _spread(wanted: str, text: str) -> int:
    """A score that is low for letters close together and early; -1 when one is missing."""
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
