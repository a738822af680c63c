"""How others are told: `python tests/benchmarks/telling.py` prints a table; the receivers are real.

A storm is 50 models under 4 rules within 20 s of a made-up clock; gaps are those of the event loop.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from notify.notifications import notification
from notify.outbox import Stage, delivering, known, round_of, staged, webhook
from notify.receivers import HANG, longest_gap, receiving
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel
from watchdeck.notify.apprise import AppriseNotifier
from watchdeck.notify.delivery import POLL_INTERVAL

ROW = "{:<66} {:>12} {:>10}"
PAGES = 20


async def storm(stage: Stage) -> int:
    """Messages that 200 alerts become."""
    for number in range(200):
        stage.tell(stage.fire(f"model-{number % 50}-{number}", Severity(1 + number // 50)))
        stage.clock.now += 100
    async with receiving() as receiver:
        async with delivering(stage, {"hook": webhook(receiver.url)}) as delivery:
            await round_of(delivery)
            stage.clock.now += 30_000
            await round_of(delivery)
        return len(receiver.asked)


async def gap(url: str) -> float:
    """The longest gap (ms) while a receiver hangs, the first loading of httpx included."""
    return 1e3 * await longest_gap(lambda: webhook(url)(notification()))


async def apprise_gap(port: int) -> float:
    """The same through apprise, its first loading included."""
    url = f"json://127.0.0.1:{port}/?rto=1&cto=1"
    channel = Channel("a", "apprise", url=url, services=("json",))
    return 1e3 * await longest_gap(lambda: AppriseNotifier(channel, known)(notification()))


async def latency(stage: Stage) -> float:
    """The longest time (ms) from a committed row to the receiver, over pages one after another."""
    worst = 0.0
    async with (
        receiving() as receiver,
        delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
    ):
        running = asyncio.create_task(delivery.run())
        for number in range(PAGES):
            stage.windows.clear()
            receiver.came.clear()
            stage.clock.now += 10_000
            stage.tell(stage.fire(f"model-{number}"))
            began = time.perf_counter()
            await receiver.came.wait()
            worst = max(worst, time.perf_counter() - began)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return 1e3 * worst


async def report(folder: Path) -> None:
    print(ROW.format("what", "measured", "reach"))
    async with receiving(HANG) as hung:
        found = await gap(hung.url)
        print(ROW.format("longest gap, a webhook that hangs", f"{found:.1f} ms", "50 ms"))
        found = await apprise_gap(hung.port)
        print(ROW.format("longest gap, an apprise service that hangs", f"{found:.1f} ms", "50 ms"))
    with staged(folder / "storm") as stage:
        print(ROW.format("messages of 50 models under 4 rules at once", await storm(stage), 3))
    with staged(folder / "latency") as stage:
        found = await latency(stage)
    what = f"row committed to receiver, worst of {PAGES} (a look every {POLL_INTERVAL} s)"
    print(ROW.format(what, f"{found:.0f} ms", "2000 ms"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(report(Path(made)))
