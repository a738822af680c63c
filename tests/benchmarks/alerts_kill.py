"""Kills a real collector again and again in a storm of alerts, and counts what is lost or doubled.

`python tests/benchmarks/alerts_kill.py [KILLS] [SEED]`: fifty models with four rules each become
bad one after the other while the collector is killed (SIGKILL) at random moments and started again.
Somebody acknowledges alerts meanwhile, and a webhook hears the pages.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import acknowledge
from watchdeck.actions.requests import AcknowledgeRequest
from watchdeck.cli.options import now, operator
from watchdeck.config.load import load
from watchdeck.domain.alerts.alert import AlertEvent, AlertState
from watchdeck.domain.settings.configuration import Settings
from watchdeck.service.collector import collect
from watchdeck.store.alerts.acknowledgements import read_acknowledgements
from watchdeck.store.alerts.episodes import (
    read_ended_episodes,
    read_open_episodes,
    read_transitions,
)
from watchdeck.store.alerts.outbox import read_episode_outbox
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import verify

MODELS = 50
SIGNALS = ("saturation", "gpu_memory_ratio", "kv_cache_usage", "cpu_utilization")
ALERTS = MODELS * len(SIGNALS)
LONGEST = 2.0
"""Seconds that a collector lives at most."""

PATIENCE = 90.0
"""Seconds for the last collector to see and tell everything."""

HEAD = """
store = "store"
[alerts]
pack = false
[[channel]]
name = "hook"
type = "webhook"
url = "{url}/hook"
[[route]]
to = ["hook"]
"""
RULE = """
[[rule]]
name = "{name}-full"
when = "{name} > 90% for 1s"
severity = 2
"""
MODEL = """
[[endpoint]]
name = "model-{number}"
url = "{url}"
metrics_url = "{url}/{number}"
kind = "prometheus"
owner = "team-{team}"
every = "1s"
map = {{ saturation = "s", gpu_memory_ratio = "g", kv_cache_usage = "k", cpu_utilization = "c" }}
"""


class World(BaseHTTPRequestHandler):
    """All models, and the receiver of the pages, in a process of their own."""

    bad_from: dict[int, float]
    heard: Counter[str]
    episodes: dict[str, list[int]]

    def do_GET(self) -> None:
        if self.path == "/heard":
            self._answer(json.dumps([self.heard, self.episodes]).encode())
            return
        number = self.path.strip("/").partition("/")[0]
        bad = number.isdigit() and time.time() > self.bad_from[int(number)]
        value = 0.99 if bad else 0.2
        page = "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name in "sgkc")
        self._answer(page.encode(), 200 if number.isdigit() else 404)

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard[event["id"]] += 1
        self.episodes[event["id"]] = [
            alert["episode"] for alert in event["data"]["alerts"] if alert["kind"] == "page"
        ]
        self._answer(b"{}")

    def _answer(self, body: bytes, status: int = 200) -> None:
        with suppress(OSError):  # who asked was killed
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


def world(pipe: Connection, seconds: float, seed: int) -> None:
    """Serve until the parent is gone; the models become bad one after the other."""
    chance, began = random.Random(seed), time.time() + 3
    World.bad_from = {number: began + chance.uniform(0, seconds) for number in range(MODELS)}
    World.heard, World.episodes = Counter(), {}
    with ThreadingHTTPServer(("127.0.0.1", 0), World) as server:
        pipe.send(server.server_port)
        server.serve_forever()


def configuration(folder: Path, url: str) -> Settings:
    text = HEAD.format(url=url) + "".join(RULE.format(name=name) for name in SIGNALS)
    for number in range(MODELS):
        text += MODEL.format(number=number, url=url, team=number % 5)
    path = folder / "watchdeck.toml"
    path.write_text(text)
    return load(path)


def started(settings: Settings, directory: StoreDirectory) -> int:
    """The process of a new collector, once it runs."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        try:
            collect(
                settings,
                directory,
                operator(),
                clock=now,
                started=lambda: _say(theirs),
            )
        finally:
            os._exit(0)
    os.close(theirs)
    said = os.read(ours, 1)
    os.close(ours)
    assert said, "the collector did not start"
    return child


def _say(pipe: int) -> None:
    os.write(pipe, b"!")


def end(child: int, how: signal.Signals) -> None:
    os.kill(child, how)
    os.waitpid(child, 0)


def take(directory: StoreDirectory, chance: random.Random) -> set[int]:
    """Acknowledge an alert that fires and that nobody has; the episode, where it was taken."""
    with closing(open_readonly(directory.state)) as db:
        owned = read_acknowledgements(db)
        free = [
            episode.id
            for episode, _ in read_open_episodes(db)
            if episode.condition is AlertState.FIRING and episode.id not in owned
        ]
    if not free:
        return set()
    return set(
        acknowledge(
            Actor(directory, operator()), AcknowledgeRequest((chance.choice(free),)), now()
        ).affected
    )


def told_all(directory: StoreDirectory) -> bool:
    with closing(open_readonly(directory.state)) as db:
        opened = read_open_episodes(db)
        posted = [row for episode, _ in opened for row in read_episode_outbox(db, episode.id)]
    firing = [episode for episode, _ in opened if episode.condition is AlertState.FIRING]
    return len(firing) == ALERTS and all(row.sent_at or row.gave_up_at for row in posted)


def weigh(directory: StoreDirectory, url: str, taken: set[int]) -> dict[str, Any]:
    """What was lost, and what was doubled."""
    with urlopen(f"{url}/heard") as answer:  # noqa: S310 - our own server
        heard, episodes = json.load(answer)
    with closing(open_readonly(directory.state)) as db:
        opened, ended = read_open_episodes(db), read_ended_episodes(db, 0)
        fired = Counter(
            episode.id
            for episode, _ in opened
            for step in read_transitions(db, episode, now())
            if step.verb is AlertEvent.FIRED
        )
        pages = Counter(
            row.episode
            for episode, _ in opened
            for row in read_episode_outbox(db, episode.id)
            if row.channel == "hook" and row.kind == "page" and row.cancelled_at is None
        )
        owned = read_acknowledgements(db)
        sound = verify(db).first_bad is None
    again = sum(heard.values()) - len(heard)
    by_letter = Counter(number for found in episodes.values() for number in found)
    return {
        "alerts that must fire, and do": f"{ALERTS}, {len(opened)}",
        "episodes lost": ALERTS - len(opened),
        "episodes that ended though nothing was over": len(ended),
        "episodes that fired twice": sum(count > 1 for count in fired.values()),
        "acknowledgements made, lost": f"{len(taken)}, {len(taken - owned.keys())}",
        "pages lost (no row of the outbox)": ALERTS - len(pages),
        "pages doubled (rows of the outbox)": sum(count > 1 for count in pages.values()),
        "pages never heard": ALERTS - len(by_letter),
        "pages heard in two letters": sum(count > 1 for count in by_letter.values()),
        "letters, heard again under the same id": f"{len(heard)}, {again}",
        "the audit is as it was written": sound,
    }


def report(kills: int, seed: int) -> None:
    chance = random.Random(seed)
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    there = spawn.Process(target=world, args=(theirs, kills * LONGEST * 0.6, seed), daemon=True)
    there.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    with tempfile.TemporaryDirectory() as folder:
        settings = configuration(Path(folder), url)
        directory = StoreDirectory(Path(folder) / "store")
        taken: set[int] = set()
        began = time.monotonic()
        for _ in range(kills):
            child = started(settings, directory)
            time.sleep(chance.uniform(0, LONGEST))
            end(child, signal.SIGKILL)
            if chance.random() < 0.3:
                taken |= take(directory, chance)
        child = started(settings, directory)
        until = time.monotonic() + PATIENCE
        while not told_all(directory) and time.monotonic() < until:
            time.sleep(0.5)
        end(child, signal.SIGTERM)
        print(f"{kills} kills in {time.monotonic() - began:.0f} s, seed {seed}")
        for words, figure in weigh(directory, url, taken).items():
            print(f"{words:48} {figure}")
    there.terminate()


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    report(*(given + [200, 1][len(given) :]))
