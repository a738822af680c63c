"""Drives a real model server with known traffic, and prints what watchdeck shows beside the truth.

A collector watches the server already (`watchdeck collect` with WATCHDECK_CONFIG). Then:

    python tests/servers/drive.py --model iris --url http://127.0.0.1:8080/v2/models/iris/infer \
        --body good.json --bad-body bad.json --bad-share 0.1 --rate 4 --seconds 180

Requests are sent at a steady rate, a share of them with the bad body; statuses and durations are
counted here. Afterwards the signals of the newest scrapes are compared with the same time at the
client: rates within 5 %, ratios and durations within what their events can tell.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

WATCHED = (
    *("request_rate", "error_ratio", "client_error_ratio"),
    *("latency_p50", "latency_p95", "latency_p99", "latency_mean"),
)


class Sent(Struct, frozen=True):
    """One request: when it was sent and how long it took (s, monotonic), and its status."""

    at: float
    took: float
    status: int


async def send_all(options: argparse.Namespace, good: bytes, bad: bytes) -> list[Sent]:
    """Send requests at the wanted rate for the wanted time; a connection failure has status 0."""
    found: list[Sent] = []
    rng = random.Random(options.seed)
    headers = {"content-type": "application/json"}
    if options.authorization:
        headers["authorization"] = os.environ[options.authorization]
    async with (
        httpx.AsyncClient(timeout=60, headers=headers) as client,
        asyncio.TaskGroup() as group,
    ):
        began = time.monotonic()
        for number in range(round(options.rate * options.seconds)):
            await asyncio.sleep(max(0.0, began + number / options.rate - time.monotonic()))
            body = bad if rng.random() < options.bad_share else good
            group.create_task(send(client, options.url, body, found))
    return found


async def send(client: httpx.AsyncClient, url: str, body: bytes, found: list[Sent]) -> None:
    began = time.monotonic()
    try:
        response = await client.post(url, content=body)
        status = response.status_code
    except httpx.HTTPError:
        status = 0
    found.append(Sent(began, time.monotonic() - began, status))


def shown(model: str) -> dict[str, Any]:
    """The model as `watchdeck status --json` shows it now."""
    command = [sys.executable, "-m", "watchdeck", "status", "--json"]
    answered = subprocess.run(command, capture_output=True, text=True, check=False)
    models = json.loads(answered.stdout)["models"]
    return next(one for one in models if one["name"] == model)


def truths(sent: list[Sent], seconds: float) -> dict[str, float]:
    """What was sent in the last `seconds` before the end."""
    end = max(one.at for one in sent)
    recent = [one for one in sent if one.at > end - seconds]
    times = sorted(one.took for one in recent)
    return {
        "request_rate": len(recent) / seconds,
        "error_ratio": sum(one.status >= 500 or not one.status for one in recent) / len(recent),
        "client_error_ratio": sum(400 <= one.status < 500 for one in recent) / len(recent),
        "latency_mean": sum(times) / len(times),
        **{
            f"latency_p{share}": times[min(len(times) - 1, int(share / 100 * len(times)))]
            for share in (50, 95, 99)
        },
    }


def lines(model: dict[str, Any], sent: list[Sent]) -> Iterator[str]:
    """A line for each signal: what is shown, its bounds and window, and the truth."""
    yield f"{model['name']} ({model['kind']}): {model['health']}, {model['why']}"
    remarks = model.get("remarks", {})
    for name in WATCHED:
        signal = model["signals"].get(name)
        if signal is None:
            why = "not measurable" if name in model["not_measurable"] else "unknown"
            yield f"  {name:<20} {why:<14} {remarks.get(name, '')}"
            continue
        truth = truths(sent, signal.get("window_s") or 60)[name]
        low, high = signal.get("low"), signal.get("high")
        bounds = "" if low is None and high is None else f"({low} to {high})"
        mark = " server-wide" if signal.get("server_wide") else ""
        yield (f"  {name:<20} {signal['value']:<14.6g} {bounds:<24} truth {truth:.6g}"
               f" {_verdict(name, signal, truth)}{mark}")  # fmt: skip


def _verdict(name: str, signal: dict[str, Any], truth: float) -> str:
    value, low, high = signal["value"], signal.get("low"), signal.get("high")
    if low is not None or high is not None:
        slack = 0.005  # s: the way to the server and back, which the server does not see
        is_inside = (low or 0) <= truth <= (math.inf if high is None else high) + slack
        return "inside" if is_inside else "OUTSIDE"
    if name.endswith("_ratio"):
        events = signal.get("events") or 60
        error = 3 * math.sqrt(max(truth * (1 - truth), 0.01) / events)
        return "equal" if abs(value - truth) <= error else "DIFFERENT"
    allowed = 0.05 * truth + (0.005 if name == "latency_mean" else 0.02)
    return "equal" if abs(value - truth) <= allowed else "DIFFERENT"


def main() -> None:
    """Drive the server, wait for a scrape, and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True, help="name of the endpoint in the configuration")
    parser.add_argument("--url", required=True, help="address of the prediction")
    parser.add_argument("--body", required=True, help="file with a good request")
    parser.add_argument("--bad-body", help="file with a request that fails")
    parser.add_argument("--bad-share", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=4.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--authorization", help="environment variable with that header's value")
    options = parser.parse_args()
    good = Path(options.body).read_bytes()
    bad = Path(options.bad_body).read_bytes() if options.bad_body else good
    sent = asyncio.run(send_all(options, good, bad))
    print("\n".join(lines(shown(options.model), sent)))


if __name__ == "__main__":
    main()
