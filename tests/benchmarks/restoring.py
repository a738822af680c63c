"""Backup, damage, restore, verify, with kill -9 in between: `restoring.py [TIMES] [SEED]`.

Each time a store is backed up and damaged, a restore is killed at a random moment, and another one
is let to its end. The last line counts the stores that were whole then.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from store.stores import NOW, whole
from watchdeck.store.backup import backup
from watchdeck.store.files.connection import check_integrity, open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import verify

LONGEST = 0.6
"""Seconds within which a restore is killed; a whole one takes about as long."""


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    chance = Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    sound = refused = 0
    for _ in range(times):
        with TemporaryDirectory(prefix="watchdeck-restoring-") as place:
            one, said = restored(Path(place), chance)
            sound += one
            refused += said
    print(f"{sound} of {times} stores whole; {refused} were left half restored, and said so")


def restored(place: Path, chance: Random) -> tuple[bool, bool]:
    """Whether a store is whole in the end, and whether the killed restore left it half done."""
    directory = whole(place / "store")
    copy = backup(directory, place / "copy", now=NOW).path
    config = place / "watchdeck.toml"
    config.write_text(f'store = "{directory.path}"\n')
    content = bytearray(directory.metrics.read_bytes())
    for _ in range(20):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    directory.metrics.write_bytes(content)
    command = [sys.executable, "-m", "watchdeck", "--config", str(config), "restore", str(copy)]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0.0, LONGEST))
    killed.kill()
    killed.wait()
    half = (directory.path / "restore-unfinished").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr)
    return is_whole(directory), half


def is_whole(directory: StoreDirectory) -> bool:
    for path in (directory.metrics, directory.state):
        check_integrity(path)
    with closing(open_readonly(directory.state)) as db:
        return verify(db).first_bad is None


if __name__ == "__main__":
    main()
