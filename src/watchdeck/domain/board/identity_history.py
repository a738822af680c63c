"""The identity of a server from scrape to scrape: which differences are changes of the server."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.domain.board.change import MAX_CHANGE_TEXT, ChangeKind, Marker
from watchdeck.domain.metrics.scrape import Identity, Outcome
from watchdeck.domain.values.format import format_duration

HOUR = 3_600_000

_SAME_START = 2_000
"""Process start times that differ by less (ms) are the same start: clocks drift."""

_CLOCK_SKEW = 60_000
"""Milliseconds by which the clock of a server may be ahead of that of the collector."""

_MOST_KNOWN = 64
"""Values of one part of an identity that are remembered; the oldest are forgotten."""

_UNREACHED = frozenset(
    (
        Outcome.TIMED_OUT,
        Outcome.REFUSED,
        Outcome.RESET,
        Outcome.DNS,
        Outcome.TLS,
        Outcome.UNREACHABLE,
    )
)
"""Outcomes of a scrape without a response."""

_VALUES = {
    "version": (ChangeKind.DEPLOY, "version {before} → {now}"),
    "server_version": (ChangeKind.DEPLOY, "server version {before} → {now}"),
    "certificate": (ChangeKind.CONFIGURATION, "certificate {now}; before: {before}"),
}
"""Parts of an identity that are texts, with the kind and the text of a change of each."""


class Observation(Struct, frozen=True):
    """What one scrape shows of the identity of a server."""

    at: int
    """When the scrape began (ms UTC)."""
    outcome: Outcome
    identity: Identity
    missing: tuple[str, ...] = ()
    """Signals that the page once gave, and gives no more."""
    every: int = 10_000
    """Interval of the scrapes (ms)."""

    @property
    def usual_window(self) -> int:
        """Milliseconds in which every server behind one address has probably answered."""
        return max(60_000, 6 * self.every)


class KnownIdentity(Struct, frozen=True):
    """What is stored of the identity of a server.

    `identity` has the values that the newest change markers tell. `start_seen_at` is when its start
    time was first reported; `restarted_at` is when a restart was seen that no start time told (both
    ms UTC, 0 for never). `values` has all values of a part that were seen, the newest last; for
    `missing` the signals that a marker told as gone.
    """

    identity: Identity = field(default_factory=Identity)
    start_seen_at: int = 0
    restarted_at: int = 0
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)


class IdentityHistory:
    """Tells the changes of one server from differences between scrapes that are none.

    Several servers may answer at one address in turn, with versions and addresses of their own: a
    value that was seen before is a change only when the last one is seen no more. A part that is
    unknown is not compared. A server has no history before its first good scrape.
    """

    def __init__(self, stored: KnownIdentity | None = None) -> None:
        self.has_begun = stored is not None
        self.known = stored or KnownIdentity()
        self._seen: dict[str, int] = {}
        self._missing_at: dict[str, int] = {}
        self._away: dict[str, tuple[str, int]] = {}
        self._restart_seen_at = 0
        self._refused_at = 0
        self._start_unknown_since = 0

    def add(self, seen: Observation) -> tuple[Marker, ...]:
        """The changes that a scrape shows; `known` is then the identity with them."""
        seen = replace(seen, identity=self._with_own_version(seen.identity))
        if not self.has_begun:
            self._begin(seen)
            return ()
        found = (
            self._restart_marker(seen),
            *(self._value_marker(part, seen) for part in _VALUES),
            self._replica_marker(seen),
            self._host_marker(seen),
            self._missing_marker(seen),
        )
        self._note_refusal(seen)
        self._forget_start(seen)
        self._set(resets=seen.identity.resets)
        return tuple(marker for marker in found if marker is not None)

    def _begin(self, seen: Observation) -> None:
        if seen.outcome is not Outcome.OK:
            return
        now, self.has_begun = seen.identity, True
        self.known = KnownIdentity(now, seen.at if now.started_at else 0)
        for part in (*_VALUES, "host"):
            self._add_known(part, getattr(now, part))
        if seen.missing:
            self._add_known("missing", *seen.missing)

    def _with_own_version(self, now: Identity) -> Identity:
        """The identity without the server's version in place of the model's.

        While the page of a model is not there, the version of the server is all that is known.
        """
        before = self.known.identity
        if now.version is None:
            return now
        if now.server_version is None and now.version == before.server_version:
            return replace(now, version=None, server_version=now.version)
        if before.server_version is None and before.version == now.server_version:
            self._set(version=None, server_version=before.version)
        return now

    def _restart_marker(self, seen: Observation) -> Marker | None:
        """A restart by the start time; by counters or a refusal only where none is known."""
        before, now = self.known.identity, seen.identity
        has_counted = now.resets > before.resets
        if now.started_at:
            return self._started_marker(seen, now.started_at, has_counted=has_counted)
        is_repeat = seen.at - self._restart_seen_at <= seen.usual_window
        if is_repeat or not (has_counted or self._has_returned(seen)):
            return None
        self._restart_seen_at = seen.at
        self.known = replace(self.known, restarted_at=seen.at)
        return Marker(ChangeKind.RESTART, self._restart_text(seen))

    def _started_marker(
        self, seen: Observation, started: int, *, has_counted: bool
    ) -> Marker | None:
        """A restart by the start of the process (ms UTC), unless it was already marked.

        A process that started before the other one was first seen is another worker, not a restart.
        """
        known, before = self.known, self.known.identity.started_at
        if before is None:
            is_new = has_counted or (
                self._has_returned(seen) and started >= self._refused_at - _CLOCK_SKEW
            )
        else:
            is_new = started - before > _SAME_START and (
                has_counted or started > known.start_seen_at
            )
        is_marked = bool(known.restarted_at) and started <= known.restarted_at + _CLOCK_SKEW
        if before is None or abs(started - before) > _SAME_START:
            self.known = replace(known, start_seen_at=seen.at)
            self._set(started_at=started)
        if not is_new or is_marked:
            return None
        self._restart_seen_at = seen.at
        is_late = known.start_seen_at < started < seen.at - 2 * seen.usual_window
        return Marker(ChangeKind.RESTART, "the server was restarted", started if is_late else None)

    def _has_returned(self, seen: Observation) -> bool:
        """Whether a server answers that refused connections before, and tells no start time."""
        is_answer = seen.outcome not in _UNREACHED
        return bool(self._refused_at) and is_answer and not self.known.identity.started_at

    def _restart_text(self, seen: Observation) -> str:
        if not self._has_returned(seen):
            return "the counters began again from 0"
        length = format_duration(seen.at - self._refused_at)
        return f"the server answers again, after it refused connections for {length}"

    def _note_refusal(self, seen: Observation) -> None:
        if seen.outcome is Outcome.REFUSED:
            self._refused_at = self._refused_at or seen.at
        elif seen.outcome not in _UNREACHED:
            self._refused_at = 0

    def _forget_start(self, seen: Observation) -> None:
        """Forget the start time after an hour of pages without one.

        Then several processes answer, and the next start time may be that of any of them.
        """
        if seen.identity.started_at or seen.outcome is not Outcome.OK:
            self._start_unknown_since = 0
            return
        self._start_unknown_since = self._start_unknown_since or seen.at
        if seen.at - self._start_unknown_since > HOUR:
            self._set(started_at=None)

    def _value_marker(self, part: str, seen: Observation) -> Marker | None:
        """The change of a text; of one that was seen before, when the last is seen no more."""
        now, before = getattr(seen.identity, part), getattr(self.known.identity, part)
        if not now:
            return None
        if not before or now == before:
            self._set_value(part, now, seen.at)
            return None
        last = self._seen.setdefault(part, seen.at)
        value, since = self._away.get(part, ("", 0))
        if value != now:
            since = seen.at
            self._away[part] = now, since
        is_known = now in self.known.values.get(part, ())
        if is_known and abs(seen.at - last) <= seen.usual_window:
            return None
        self._add_known(part, before)
        self._set_value(part, now, seen.at)
        what, text = _VALUES[part]
        words = text.format(before=before, now=now)
        return Marker(what, _shorten(words), None if since == seen.at else since)

    def _set_value(self, part: str, value: str, at: int) -> None:
        self._seen[part] = at
        self._away.pop(part, None)
        self._add_known(part, value)
        self._set(**{part: value})

    def _replica_marker(self, seen: Observation) -> Marker | None:
        before, now = self.known.identity.replicas, seen.identity.replicas
        if now is None:
            return None
        self._set(replicas=now)
        if before is None or before == now:
            return None
        return Marker(ChangeKind.SCALE, f"replicas {before} → {now}")

    def _host_marker(self, seen: Observation) -> Marker | None:
        """The first answer of an address; one that answered before is no change.

        The stored address stays that of the newest change: otherwise every turn of a round robin
        would be written to the store.
        """
        now, before = seen.identity.host, self.known.identity.host
        if not now or now in self.known.values.get("host", ()):
            return None
        self._add_known("host", now)
        self._set(host=now)
        if not before:
            return None
        return Marker(ChangeKind.CONFIGURATION, f"another host answers: {now}; before: {before}")

    def _missing_marker(self, seen: Observation) -> Marker | None:
        """The signals that a page gives no more, each told once until an hour after its return."""
        if seen.outcome is not Outcome.OK and not seen.missing:
            return None
        told = self.known.values.get("missing", ())
        for name in (*told, *seen.missing):
            if name in seen.missing or name not in self._missing_at:
                self._missing_at[name] = seen.at
        new = [name for name in seen.missing if name not in told]
        kept = (name for name in told if seen.at - self._missing_at[name] <= HOUR)
        names = (*kept, *new)
        if names != told:
            self.known = replace(self.known, values={**self.known.values, "missing": names})
        if not new:
            return None
        text = f"series renamed or gone: the page gives no more {', '.join(new)}"
        return Marker(ChangeKind.NOTE, _shorten(text))

    def _add_known(self, part: str, *values: str | None) -> None:
        known = self.known.values.get(part, ())
        new = tuple(value for value in values if value and value not in known)
        if new:
            listed = (*known, *new)[-_MOST_KNOWN:]
            self.known = replace(self.known, values={**self.known.values, part: listed})

    def _set(self, **parts: object) -> None:
        """Replace parts of the identity; nothing is made anew where all are as before."""
        identity = self.known.identity
        if any(getattr(identity, name) != value for name, value in parts.items()):
            self.known = replace(self.known, identity=replace(identity, **parts))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_CHANGE_TEXT else f"{text[: MAX_CHANGE_TEXT - 1]}…"
