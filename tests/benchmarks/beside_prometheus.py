"""`watchdeck collect` on the targets of a comparison with Prometheus, as its command line asks.

`bash prometheus_side_by_side.sh 1000 10s 40 --own "PYTHON PATH/beside_prometheus.py"` starts this
with TARGETS_TXT (a URL a line), INTERVAL and STORE_DIR in the environment; every sample is kept.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

MAP = '{ requests = "vllm:request_success_total", latency = "vllm:e2e_request_latency_seconds" }'


def configuration(targets: list[str], every: str, store: str) -> str:
    """Every target as a plain page without probes, and a store that may grow."""
    parts = [f'store = "{store}/store"\n[retention]\nbudget = "64GiB"\n']
    parts += [
        f'[[endpoint]]\nname = "target-{number}"\nurl = "{target.removesuffix("/metrics")}"\n'
        f'metrics_url = "{target}"\nkind = "prometheus"\nkeep = "all"\nevery = "{every}"\n'
        f'timeout = "5s"\nmap = {MAP}\n'
        for number, target in enumerate(targets)
    ]
    return "\n".join(parts)


def main() -> None:
    store = os.environ["STORE_DIR"]
    targets = Path(os.environ["TARGETS_TXT"]).read_text().split()
    written = Path(store) / "watchdeck.toml"
    written.write_text(configuration(targets, os.environ["INTERVAL"], store))
    command = [sys.executable, "-m", "watchdeck", "--config", str(written), "collect"]
    os.execv(sys.executable, command)  # noqa: S606 - this very process is what is measured


if __name__ == "__main__":
    main()
