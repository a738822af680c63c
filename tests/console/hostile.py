"""A board in which every text is hostile, as if nothing had cleaned it at intake.

`python tests/console/hostile.py SEED MODELS` shows one on this terminal.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

sys.path.insert(0, str(Path(__file__).parents[1]))

from console import boards
from console.pty_console import Terminal
from console.stub import HOSTILE
from watchdeck.console.app import Console
from watchdeck.console.run import drive
from watchdeck.console.state.services import ConsolePresence, Services
from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertEvent,
    AlertState,
    Episode,
    KnownIssue,
    Note,
    Transition,
)
from watchdeck.domain.board.board import (
    AlertHistory,
    Board,
    Change,
    Health,
    HealthChange,
    History,
    Model,
    Presence,
)
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.endpoint import Resource

NOW = boards.NOW

OWN = re.compile(
    rb"\x1b\[[0-9;?<>=$]*[A-Za-z]"  # cursor, colours, modes
    rb"|\x1b\[\?[0-9;]*\$p"  # questions to the terminal
    rb"|\x1b\[>[0-9]*u"
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
    rb"|\r|\n|\x08"
)
"""The sequences that the console itself sends."""

RAW = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

_PIECES = (
    *HOSTILE,
    *("\x1b[6n", "\x1b[>c", "\x9b5n", "\x1bP$q\x1b\\", "\x1b[?1049l", "\x1bc", "\r\n", "\x07"),
    *("[@click=app.bell]ring[/]", "[@click=app.quit]leave[/]", "[link=http://evil]", "[bold"),
    *("$(id)", "`id`", "; rm -rf /", "' or 1=1 --", "%s%n", "../../etc/passwd", "{0}", "\\"),
    *("é" * 40, "a\u0301" * 20, "👩‍👩‍👧‍👦", "ｶﾅ", "ำ", "﷽", "word " * 30),
)
_RANGES = ((0x00, 0x20), (0x7F, 0xA0), (0x2000, 0x2070), (0xD800, 0xDFFF), (0xFE00, 0x10000))

T = TypeVar("T")


class Attacker:
    """Thinks of texts, no two alike; `made` counts them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.made = 0

    def text(self, _: str = "") -> str:
        """Another one."""
        self.made += 1
        chance = self._chance
        start, stop = chance.choice(_RANGES)
        noise = "".join(chr(chance.randrange(start, stop)) for _ in range(chance.randint(0, 6)))
        parts = [*chance.choices(_PIECES, k=chance.randint(1, 3)), noise, f"{self.made}"]
        chance.shuffle(parts)
        return "".join(parts)

    def spoil(self, value: T) -> T:
        """The same thing, with a hostile text for each text in it: the same for the same."""
        spoilt: T = _spoilt(value, cache(self.text))
        return spoilt


def _spoilt(value: Any, text: Callable[[str], str]) -> Any:
    """Words that are ours stay: members of enums, and names of signals."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, tuple):
        return tuple(_spoilt(one, text) for one in value)
    if isinstance(value, dict):
        return {k if k in SIGNALS else text(k): _spoilt(one, text) for k, one in value.items()}
    if isinstance(value, Struct):
        parts = asdict(value)
        return replace(value, **{name: _spoilt(part, text) for name, part in parts.items()})
    return value


class Source(boards.Uneventful):
    """A store that somebody else has written, of so many models."""

    def __init__(self, seed: int, models: int) -> None:
        attacker = Attacker(seed)
        spoil = attacker.spoil
        fleet = [spoil(_model(number)) for number in range(models)]
        names = [model.facts.name for model in fleet]
        self._changes = tuple(_of(name, spoil(_change(n))) for n, name in enumerate(names))
        self._alerts = tuple(_raised(name, spoil(_alert(n))) for n, name in enumerate(names))
        self._board = boards.board(
            fleet,
            collector=spoil(boards.collector(blind="blind", storing="storing")),
            changes=self._changes,
            alerts=self._alerts,
        )
        self._healths = tuple(spoil(_health(number)) for number in range(models))
        self._answers = tuple(
            spoil(ResponseRecord("/", NOW, 200, "h: v", "ok")) for _ in range(models)
        )
        self._story = spoil(_story())
        self._there = tuple(spoil(Presence("who", "view", NOW, NOW)) for _ in range(3))
        self.made = attacker.made

    def has_changed(self) -> bool:
        return False

    def board(self, now: int, at: int | None = None) -> Board:
        return replace(self._board, at=at or now, live=at is None)

    def history(
        self,
        endpoint: str,  # noqa: ARG002 - the same wave for everyone
        columns: Sequence[str],
        start: int,
        end: int,
        points: int | None = None,  # noqa: ARG002
    ) -> tuple[History, ...]:
        return tuple(boards.history(column, end, end - start) for column in columns)

    def changes(
        self,
        start: int,  # noqa: ARG002
        end: int,  # noqa: ARG002
        endpoint: str | None = None,
    ) -> tuple[Change, ...]:
        return tuple(one for one in self._changes if endpoint in (None, one.endpoint))

    def health_history(self, *_: object) -> tuple[HealthChange, ...]:
        return self._healths

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:  # noqa: ARG002 - all answer alike
        return self._answers

    def alert_history(self, episode: int, at: int) -> AlertHistory:  # noqa: ARG002 - all alike
        return self._story

    def close(self) -> None:
        """Nothing is open."""

    def write(self, presence: Presence) -> None:
        """Nobody is told."""

    def leave(self) -> None:
        """Nobody is told."""

    def others(self, now: int) -> tuple[Presence, ...]:  # noqa: ARG002
        return self._there


def _model(number: int) -> Model:
    name = f"model-{number}"
    facts = boards.facts(
        name, labels={"team": "risk"}, serves=("a",), depends_on=("b",), resources=(Resource("c"),)
    )
    seen = boards.latest(name, facts=facts, detail="why", model_detail="loading")
    return boards.model(name, [*Health][number % len(Health)], seen=seen)


def _change(number: int) -> Change:
    return Change(number, "model", NOW - 60_000 * (number + 1), "deploy", "1 → 2", "operator")


def _of(name: str, change: Change) -> Change:
    return replace(change, endpoint=name)


def _health(number: int) -> HealthChange:
    return HealthChange("model", NOW - 1_000 * number, Health.DOWN, "cause", "why")


def _alert(number: int) -> ActiveAlert:
    alert = Alert(number, "rules", "print", "rule", "model", {"team": "risk"})
    later = NOW + 60_000
    held = Acknowledgement(number, number, "elena", NOW, later, Severity.HIGH, "on it")
    pin = KnownIssue(number, "model", "rule", "known", "elena", NOW, later)
    return ActiveAlert(alert, _episode(number), held if number % 2 else None, (), (pin,))


def _raised(name: str, raised: ActiveAlert) -> ActiveAlert:
    return replace(raised, alert=replace(raised.alert, model=name))


def _episode(number: int) -> Episode:
    return Episode(
        number, number, NOW - 90_000, AlertState.FIRING, Severity.HIGH, Severity.HIGH,
        fired_at=NOW - 80_000, seen_at=NOW, why="p95 412 ms > 200 ms", value=0.412, limit=0.2,
    )  # fmt: skip


def _story() -> AlertHistory:
    raised = _alert(1)
    held = tuple(filter(None, (raised.acknowledgement,)))
    steps = (Transition(AlertEvent.FIRED, NOW - 80_000, raised.episode, "why"),)
    notes = (Note(1, 1, NOW, "elena", "looked at it"),)
    return AlertHistory(raised.episode, raised.alert, steps, held, notes, (raised.episode,), notes)


def raw(output: bytes) -> list[str]:
    """What a terminal would obey in this output, and the console did not mean."""
    return RAW.findall(OWN.sub(b"", output).decode(errors="ignore"))


def walk(terminal: Terminal, models: int) -> Iterator[bytes]:
    """Go through every screen, open everything, click on everything; all that came back."""
    opened = (b"x", b"\x1b[6~", b"\x1b", b"\t", b"b", b"\x1b", b"\x1b", b"\x1b[B")
    clicks = [b"".join(_click(x, y) for y in range(40)) for x in (8, 30, 60, 90)]
    for keys in (
        *(b"1", b"2", *[b"\r", *opened] * models),
        *(b"3", *[b"\r", b"\x1b[6~", b"\x1b", b"\x1b[B"] * models),
        *(b"b", b"\x1b", b"?", b"\x1b", b"\x10", b"model", b"\x1b", b"/", b"a", b"\x1b", b"1"),
        *(b"\x1b[<35;9;9M", *clicks, b"\x1b", b"1"),
    ):
        terminal.type(keys)
        yield terminal.quiet(0.15 if keys == b"\x1b" else 0.05)  # else Escape is half a sequence


def _click(x: int, y: int) -> bytes:
    return b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % (x, y, x, y)


def main(seed: int, models: int) -> int:
    source = Source(seed, models)
    services = Services(ConsolePresence(source, "", NOW))
    return drive(
        Console(boards.Store(), clock=boards.clock, open_source=lambda: source, services=services)
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
