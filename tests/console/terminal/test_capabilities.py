"""What the variables of a terminal tell of it."""

import pytest

from watchdeck.console.terminal.capabilities import (
    ColourDepth,
    TerminalCapabilities,
    capabilities_of,
)


@pytest.mark.parametrize(
    ("environ", "fills"),
    [
        pytest.param({"TERM": "xterm-256color"}, True, id="xterm and its likes"),
        pytest.param({"TERM": "linux"}, True, id="the Linux console"),
        pytest.param({"TERM": "tmux-256color", "TMUX": "/tmp/t"}, True, id="tmux by its own name"),
        pytest.param({"TERM": "screen-256color", "TMUX": "/tmp/t"}, True, id="tmux as screen"),
        pytest.param({"TERM": "screen-256color"}, False, id="screen does not"),
        pytest.param({"TERM": "xterm-256color", "STY": "1.pts"}, False, id="screen as xterm"),
        pytest.param({"TERM": "vt220"}, False, id="older than colour"),
        pytest.param({}, False, id="unknown"),
    ],
)
def test_which_terminals_give_erased_cells_the_ground(
    environ: dict[str, str], *, fills: bool
) -> None:
    assert capabilities_of(environ, "256", None) == TerminalCapabilities(
        depth_of_256(environ), charset="utf-8", erases_in_colour=fills
    )


def depth_of_256(environ: dict[str, str]) -> ColourDepth:
    return ColourDepth.NONE if environ.get("TERM") == "vt220" else ColourDepth.ANSI_256


def test_the_charset_has_one_name() -> None:
    assert capabilities_of({}, None, "UTF8").charset == "utf-8"
    assert capabilities_of({}, None, "latin-1").charset == "iso8859-1"
