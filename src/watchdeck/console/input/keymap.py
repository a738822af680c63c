"""The configured keymap: all of its keys are used, or none when one of them is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from watchdeck.config.reading.problems import Problem, child_key, did_you_mean, from_error
from watchdeck.console.input.key_names import key_caption, textual_key_name
from watchdeck.console.input.keys import KEYS, NEVER, Key, key_conflicts

_TABLE = "console.keys"


def apply_keymap(wanted: Mapping[str, str]) -> tuple[tuple[Key, ...], tuple[Problem, ...]]:
    """The table of keys changed by `wanted` (binding id to keys), and every problem with it.

    With a problem the default table is returned: half a keymap would suit nobody.
    """
    problems = [*_unknown_binding_problems(wanted)]
    found: dict[str, str] = {}
    for name, written in wanted.items():
        spelled, wrong = _read_keys(name, written)
        problems += wrong
        found[name] = "" if wrong else spelled
    keys = tuple(replace(key, keys=found.get(key.id, key.keys)) for key in KEYS)
    problems += _conflict_problems((key for key in keys if key.keys), found)
    return (KEYS, tuple(problems)) if problems else (keys, ())


def _unknown_binding_problems(wanted: Mapping[str, str]) -> Iterator[Problem]:
    known = [key.id for key in KEYS]
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known, "The help (?) of each screen lists them.")
            yield Problem(child_key(_TABLE, name), "is not a binding", hint)


def _read_keys(name: str, written: str) -> tuple[str, list[Problem]]:
    """The keys of one setting as Textual names them, and the problems with them."""
    spelled, problems = [], []
    for one in [","] if written.strip() == "," else written.split(","):
        try:
            key = textual_key_name(one.strip() or one)
        except ValueError as error:
            problems.append(from_error(child_key(_TABLE, name), error))
            continue
        spelled.append(key)
        if key in NEVER:
            text = f"is {key!r}, which tmux, screen or flow control takes away"
            problems.append(Problem(child_key(_TABLE, name), text, f"Never {', '.join(NEVER)}."))
    return ",".join(dict.fromkeys(spelled)), problems


def _conflict_problems(keys: Iterable[Key], wanted: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for each key with two bindings, once for all screens that have both."""
    places = defaultdict(list)
    for where, name, clashing in key_conflicts(keys):
        places[name, tuple(key.id for key in clashing)].append(where)
    for (name, ids), found in places.items():
        at = next((one for one in ids if one in wanted), ids[0])
        others = " and ".join(one for one in ids if one != at)
        text = f"is {key_caption(name)!r}, as {others} is ({', '.join(found)})"
        yield Problem(child_key(_TABLE, at), text, "Give one of them another key.")
