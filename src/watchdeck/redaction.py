"""The secrets of this process, and the one function that takes them out of texts.

A server may repeat what was sent to it. So every secret is remembered where it is read from the
configuration or its source, and each text that leaves the process (to the store, the log, a screen,
a message) goes through `redact`, whatever way it took.
"""

import threading
from collections.abc import Iterable
from functools import lru_cache

from watchdeck.domain.values.secret import (
    SHORTEST_SECRET,
    header_secrets,
    is_sensitive,
    private_url_secrets,
    secret_forms,
    url_secrets,
)

HIDDEN = "(secret)"
"""What stands in a text in place of a secret."""

MOST = 20_000
"""Forms of secrets that are remembered; the oldest are forgotten, renewed many times since."""

_FEW = 64
"""Forms that are searched one by one; of more, only those whose beginning is in the text."""

_CACHED, _LONGEST_CACHED = 4_096, 512
"""Texts whose result is cached, and their characters: the texts of most scrapes are the same."""

_CUT = "…"
"""The end of a text that was cut, maybe within a secret."""


class SecretFilter:
    """Replaces secrets, in every form in which a text may repeat them; safe from any thread."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: dict[str, None] = {}
        self._forms: dict[str, None] = {}
        self._by_start: dict[str, tuple[str, ...]] = {}
        self._few: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._cached = lru_cache(_CACHED)(self._replace)
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Add secrets; one that is known already costs one look-up."""
        new = [value for value in values if value not in self._values]
        if not new:
            return
        with self._lock:
            for value in new:
                self._values[value] = None
                for form in secret_forms(value):
                    self._add_form(form)
            if len(self._forms) > MOST:
                self._forget()
            few = self._forms if len(self._forms) <= _FEW else ()
            self._few = tuple(sorted(few, key=len, reverse=True))
            self._cached.cache_clear()

    def redact(self, text: str) -> str:
        """The text without the secrets, also without the begin of one at its cut end."""
        if not self._forms or len(text) < SHORTEST_SECRET:
            return text
        return self._cached(text) if len(text) <= _LONGEST_CACHED else self._replace(text)

    def clear(self) -> None:
        """Forget all secrets."""
        with self._lock:
            self._values, self._forms, self._by_start, self._few = {}, {}, {}, ()
            self._cached.cache_clear()

    def _add_form(self, form: str) -> None:
        if form not in self._forms:
            self._forms[form] = None
            start = form[:SHORTEST_SECRET]
            self._by_start[start] = (*self._by_start.get(start, ()), form)

    def _forget(self) -> None:
        """Forget the older half of the secrets."""
        kept = list(self._values)[len(self._values) // 2 :]
        self._values, self._forms, self._by_start = dict.fromkeys(kept), {}, {}
        for value in kept:
            for form in secret_forms(value):
                self._add_form(form)

    def _replace(self, text: str) -> str:
        for form in self._few or self._candidates(text):
            text = text.replace(form, HIDDEN)
        return self._replace_end(text) if text.endswith(_CUT) else text

    def _candidates(self, text: str) -> list[str]:
        """The forms that may be in a text, the longest first."""
        by_start = self._by_start
        starts = range(len(text) - SHORTEST_SECRET + 1)
        present = {text[at : at + SHORTEST_SECRET] for at in starts}
        found = [form for start in present for form in by_start.get(start, ())]
        return sorted(found, key=len, reverse=True)

    def _replace_end(self, text: str) -> str:
        kept = text.removesuffix(_CUT)
        for at in range(len(kept) - SHORTEST_SECRET + 1):
            forms = self._by_start.get(kept[at : at + SHORTEST_SECRET], ())
            if forms and any(form.startswith(kept[at:]) for form in forms):
                return f"{kept[:at]}{HIDDEN}{_CUT}"
        return text


REGISTRY = SecretFilter()
"""The secrets of this process: also the log and the handler of uncaught exceptions need them."""


def remember(*values: str) -> None:
    """Hide these secrets in every text from now on."""
    REGISTRY.add(values)


def remember_header(name: str, value: str) -> None:
    """Hide what a header holds of secrets; nothing of one with plain words, such as `accept`."""
    if is_sensitive(name, value):
        remember(*header_secrets(value))


def remember_address(url: str) -> None:
    """Hide the keys in the address of a receiver; words in its path are those of other texts."""
    remember(*url_secrets(url))
    remember(*(part for part in private_url_secrets(url) if is_sensitive("", part)))


def redact(text: str) -> str:
    """The text without any secret of this process."""
    return REGISTRY.redact(text)
