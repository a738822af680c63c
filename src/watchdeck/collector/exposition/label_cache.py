"""The labels seen before, by their bytes: most lines of a page differ in one label alone."""

from __future__ import annotations

import re

from watchdeck.collector.exposition.grammar import clean_label

_MOST = 20_000
"""Labels remembered over all endpoints, in 10 MB at most."""

_LONGEST = 200
"""Bytes of a label that is remembered."""

_TERM = re.compile(rb'(?!__)([a-zA-Z_:][a-zA-Z0-9_:]*+)="([^"\\]*+)')

LabelPair = tuple[str, str]


class LabelCache:
    """Labels by their bytes; equal ones are one object, whichever series carries it."""

    def __init__(self, name: int, value: int) -> None:
        self._name = name
        self._value = value
        self._known: dict[bytes, LabelPair] = {}

    def __len__(self) -> int:
        return len(self._known)

    def read(self, braces: bytes) -> tuple[LabelPair, ...] | None:
        """The labels between a pair of braces, clean and sorted by name.

        None when the grammar has to look: at escapes, odd blanks, names in quotes, what is wrong,
        what passes a bound.
        """
        inner = braces[1:-1].removesuffix(b",")
        if not inner.endswith(b'"'):
            return None
        terms = inner[:-1].split(b'",')
        try:
            pairs = list(map(self._known.__getitem__, terms))
        except KeyError:
            found = [self._known.get(term) or self._read(term) for term in terms]
            pairs = [pair for pair in found if pair is not None]
            if len(pairs) < len(found):
                return None
        pairs.sort()
        return tuple(pairs) if len(dict(pairs)) == len(pairs) else None

    def _read(self, term: bytes) -> LabelPair | None:
        parts = _TERM.fullmatch(term) if len(term) <= _LONGEST else None
        if parts is None:
            return None
        key, value = parts[1].decode(), parts[2].decode(errors="replace")
        if len(key) > self._name or len(value) > self._value:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        pair = self._known[term] = clean_label(key, self._name), clean_label(value, self._value)
        return pair
