"""The README's pictures, drawn from the demo: `python tests/pictures.py` takes four minutes.

A real fleet, a real collector and the real console, on a screen in memory: when the story has come
to its third minute, the deck, a model and the alerts are written to `sample_data/pictures/` as SVG.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from watchdeck.console.app import Console
from watchdeck.console.setup import console_settings
from watchdeck.console.state.messages import ModelOpened
from watchdeck.demo.run import run_demo
from watchdeck.domain.board.board import Health
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader

FOLDER = Path(__file__).parents[1] / "sample_data" / "pictures"
SIZES = ((80, 24), (120, 40))
PATIENCE = 300.0
SLOW = "fraud-detector"
SETTLE = 4.0
"""Seconds until the sparklines and the chart were read."""


def now() -> int:
    return time.time_ns() // 1_000_000


def story_began(directory: StoreDirectory) -> bool:
    """Whether one model is down and another fires, as the story wants it."""
    with closing(Reader(directory)) as reader:
        healths = {model.health for model in reader.board(now()).models}
    return {Health.CRITICAL, Health.DOWN} <= healths


async def draw(directory: StoreDirectory) -> None:
    """The deck and the model that became slow, in each size."""
    for cells, rows in SIZES:
        console = Console(
            StoreDirectory(Path("/srv/watchdeck")),
            clock=now,
            open_source=lambda: Reader(directory),
            settings=console_settings(StoreDirectory(Path("/srv/watchdeck"))),
        )
        async with console.run_test(size=(cells, rows)):
            await asyncio.sleep(SETTLE)
            save(console, f"deck-{cells}x{rows}")
            console.post_message(ModelOpened(SLOW))
            await asyncio.sleep(SETTLE)
            save(console, f"model-{cells}x{rows}")
            console.navigation.show_mode("alerts")
            await asyncio.sleep(SETTLE)
            save(console, f"alerts-{cells}x{rows}")


def save(console: Console, name: str) -> None:
    path = FOLDER / f"{name}.svg"
    path.write_text(console.export_screenshot(title=f"watchdeck demo, {name.split('-')[1]}"))
    print(path.relative_to(FOLDER.parents[1]))


def wait(until: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > ends:
            raise TimeoutError("the story did not come to its second minute")
        time.sleep(1)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with run_demo(None, 1, Operator("on-call"), now) as made:
        wait(lambda: story_began(made.directory))
        asyncio.run(draw(made.directory))


if __name__ == "__main__":
    main()
