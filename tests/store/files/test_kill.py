"""Killed at any moment, what was acknowledged is there, whole, and the chain holds."""

import random
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import process, state_only
from watchdeck.store.files.connection import open_readonly, open_writable
from watchdeck.store.state.audit import verify
from watchdeck.store.state.health import read_health_history

WRITER = """
import sys
from itertools import count
from pathlib import Path
from watchdeck.domain.board.health import Health, HealthChange
from watchdeck.domain.values.operator import Operator
from watchdeck.store.state.audit import append_audit, read_head
from watchdeck.store.files.connection import transaction, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.health import record_health
db = open_writable(StoreDirectory(Path(sys.argv[1])).state)
print("begins", flush=True)
for number in count(read_head(db).rows + 1):
    with transaction(db):
        record_health(db, [HealthChange("fraud", number, Health.OK, "c" * 500, "w" * 500)])
        append_audit(db, number, Operator("anna"), "silence", "fraud", None, {"number": number})
    print(number, flush=True)
"""

KILLS = 25


def test_no_acknowledged_row_is_lost_and_no_half_deed_is_kept(tmp_path: Path) -> None:
    directory = state_only(tmp_path)
    chance = random.Random(1)
    acknowledged = 0
    for _ in range(KILLS):
        with process(WRITER, tmp_path) as child:
            assert child.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                acknowledged = int(child.stdout.readline())
            child.kill()
            rest = child.stdout.read().splitlines()
            acknowledged = int(rest[-1]) if rest and rest[-1].isdigit() else acknowledged
        with closing(open_readonly(directory.state)) as db:
            found = verify(db)
            assert found.first_bad is None
            assert found.rows >= acknowledged
            assert len(read_health_history(db, "fraud", 0, 1 << 40)) == found.rows


def test_a_killed_writer_blocks_nobody(tmp_path: Path) -> None:
    directory = state_only(tmp_path)
    with process(WRITER, tmp_path) as child:
        child.kill()
        child.wait()
        with closing(open_writable(directory.state)) as db:
            db.execute("begin immediate")
            db.execute("rollback")


@pytest.mark.parametrize("table", ["health", "health_change", "change", "identity", "audit"])
def test_every_table_is_strict_about_what_it_keeps(tmp_path: Path, table: str) -> None:
    directory = state_only(tmp_path)
    with closing(open_readonly(directory.state)) as db:
        found = dict(db.execute("select name, strict from pragma_table_list where schema = 'main'"))
    assert found[table] == 1
