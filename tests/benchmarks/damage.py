"""A collector on a damaged store: `damage.py [COPIES] [SEED]`.

Each copy of a store has 20 bytes of one of its files changed, in turn metrics.db and state.db. A
collector is started on it, and a board is asked for. The last lines count how many collectors
watch, how many say what is damaged, and how many commands ended with a traceback.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec import Struct

from store.alerts.made import ack, fire
from store.stores import NOW, whole
from watchdeck.store.alerts.acknowledgements import save_acknowledgement
from watchdeck.store.files.connection import open_writable, transaction

COMMAND = [sys.executable, "-m", "watchdeck"]
CONFIG = """\
store = "{store}"

[[endpoint]]
name = "fraud"
url = "http://127.0.0.1:9/"
every = "1s"
"""


class Damage(Struct, frozen=True):
    """What came of one damaged copy."""

    watches: bool
    is_said: bool
    tracebacks: int


def main() -> None:
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    chance = Random(seed)
    with TemporaryDirectory(prefix="watchdeck-damage-") as place:
        sound = Path(place) / "sound"
        prepare(sound)
        names = ("metrics.db", "state.db")
        found = [tried(Path(place), sound, names[n % 2], chance) for n in range(copies)]
    print(f"seed {seed}, {copies} copies, 20 bytes of a file changed in each")
    print(f"{sum(one.watches for one in found):4} collectors watch")
    print(f"{sum(one.is_said for one in found):4} say in their log what is damaged")
    print(f"{sum(one.tracebacks for one in found):4} tracebacks")


def prepare(place: Path) -> None:
    """A store with alerts, an owner and an audit, all of it in the files and not in their logs."""
    directory = whole(place)
    with closing(open_writable(directory.state)) as db:
        episodes = [fire(db, model=f"model-{number}", at=NOW) for number in range(40)]
        with transaction(db):
            for episode in episodes[::3]:
                save_acknowledgement(db, ack(episode))
    for path in (directory.metrics, directory.state):
        with closing(open_writable(path)) as db:
            db.execute("pragma wal_checkpoint(truncate)")


def tried(place: Path, sound: Path, name: str, chance: Random) -> Damage:
    store = place / "store"
    shutil.rmtree(store, ignore_errors=True)
    shutil.copytree(sound, store)
    content = bytearray((store / name).read_bytes())
    for _ in range(20):
        content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    (store / name).write_bytes(content)
    config = place / "watchdeck.toml"
    config.write_text(CONFIG.format(store=store))
    log = collected(config)
    board = subprocess.run(
        [*COMMAND, "--config", str(config), "status"], capture_output=True, text=True, check=False
    )
    watches = "collecting from endpoints" in log and "Traceback" not in log
    return Damage(
        watches=watches,
        is_said="damaged" in log or "cannot be read" in log,
        tracebacks=("Traceback" in log) + ("Traceback" in board.stderr),
    )


def collected(config: Path) -> str:
    """What a collector logs in its first two seconds."""
    started = subprocess.Popen(
        [*COMMAND, "--config", str(config), "collect"], stderr=subprocess.PIPE, text=True
    )
    try:
        _, log = started.communicate(timeout=2.5)
    except subprocess.TimeoutExpired:
        started.terminate()
        _, log = started.communicate(timeout=20)
    return log


if __name__ == "__main__":
    main()
