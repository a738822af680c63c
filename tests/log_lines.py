"""The log lines of watchdeck that a test caused, as the journal would hold them."""

import re

import pytest

from watchdeck.logs import LineFormatter


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of all records that were captured, without how long a failure lasted."""
    lines = map(LineFormatter(for_journal=True).format, caplog.records)
    return [re.sub(r" lasted=\S+$", "", line) for line in lines]
