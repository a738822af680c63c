"""On a slow link colours cost five bytes instead of twelve, and nothing moves by itself."""

from pathlib import Path

import pytest

from console import boards
from console.boards import Store
from watchdeck.console import app
from watchdeck.console.app import Console
from watchdeck.console.controllers.link import SLOW
from watchdeck.console.lines.line import NO_VALUE
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.terminal.capabilities import (
    ColourDepth,
    TerminalCapabilities,
    reduce_colours,
)
from watchdeck.console.terminal.traffic import Traffic, TrafficMeter
from watchdeck.console.widgets.chrome_lines import traffic_words


@pytest.mark.parametrize(
    ("depth", "spared"),
    [
        (ColourDepth.TRUECOLOUR, ColourDepth.ANSI_256),
        (ColourDepth.ANSI_256, ColourDepth.ANSI_256),
        (ColourDepth.ANSI_16, ColourDepth.ANSI_16),
        (ColourDepth.NONE, ColourDepth.NONE),
    ],
)
def test_only_the_dearest_colours_are_spared(depth: ColourDepth, spared: ColourDepth) -> None:
    assert reduce_colours(TerminalCapabilities(depth)).depth is spared


def test_the_meter_says_what_it_does_not_know() -> None:
    words = traffic_words(Traffic(12_345, 9, 2, 80.4))
    assert words == f"link: 80 B/s, 12,345 B sent, lag {NO_VALUE}, 2 frames overtaken"
    assert "lag 320 ms" in traffic_words(Traffic(lag=0.32))


class Far(Console):
    """A console whose terminal is far away."""

    CSS_PATH = str(Path(app.__file__).with_name("console.tcss"))
    lag: float | None = 2 * SLOW

    @property
    def traffic(self) -> Traffic:
        return Traffic(1_000, 1, 0, 10.0, self.lag, lowest_lag=self.lag)


async def test_a_link_that_is_slow_is_spared_once_and_that_is_said() -> None:
    console = Far(Store(), clock=boards.clock, settings=boards.settings())
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        await pilot.pause()
        console.tick()
        assert console.is_link_slow
        assert console.view_state.notice == "the link is slow (300 ms): fewer colours, no mouse"
        console.link.toggle_meter()
        console.tick()
        assert "lag 300 ms" in console.view_state.notice
        console.link.toggle_meter()
        assert console.view_state.notice == ""


def test_one_slow_answer_is_a_busy_moment_and_three_are_a_slow_link() -> None:
    meter = TrafficMeter()
    for lag, steady in ((0.9, None), (0.4, None), (0.5, 0.4), (0.1, 0.1), (0.6, 0.1), (0.7, 0.1)):
        meter.record_lag(lag)
        assert meter.read(0.0, held=False).lowest_lag == steady
    meter.record_lag(0.8)
    assert meter.read(0.0, held=False).lowest_lag == 0.6


async def test_a_terminal_that_never_answered_is_not_called_slow() -> None:
    console = Far(Store(), clock=boards.clock, settings=boards.settings())
    console.lag = None
    async with console.run_test(size=(80, 24)):
        console.tick()
        assert not console.is_link_slow
