"""What holds for every test.

How long one example takes is no part of what it proves. The secrets of one test are not hidden in
the texts of the next. A shell that starts a command in the
background lets it ignore interrupts, and its children too: tests that interrupt a child would wait
for ever.
"""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from watchdeck.redaction import REGISTRY

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> Iterator[None]:
    yield
    REGISTRY.clear()
