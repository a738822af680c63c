"""The audit of what operators send through channels by themselves."""

from contextlib import closing

from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.connection import open_writable, store_errors, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import append_audit


def record_channel_test(
    directory: StoreDirectory, channel: str, problem: str, who: Operator, now: int
) -> None:
    """Write the audit row of a test message; `problem` is why it was not sent, or empty.

    Raises StoreMissing when there is no store yet, and StoreError.
    """
    with (
        closing(open_writable(directory.state)) as db,
        store_errors(directory.state),
        transaction(db),
    ):
        after = {"sent": not problem, "problem": problem}
        append_audit(db, now, who, "notify test", channel, None, after)
