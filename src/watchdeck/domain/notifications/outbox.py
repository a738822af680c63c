"""What is to be told to others, as it is written beside what it tells of."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class OutboxEntry(Struct, frozen=True):
    """Something to be told: to which channel, what, and not before when (ms UTC).

    Rows of one `fold` that wait together become one message; rows of one `lane` are sent in the
    order of their numbers. The same `dedup_key` twice on one channel is once. `done` tells that
    being written is being told, as on a board.
    """

    channel: str
    kind: str
    dedup_key: str
    not_before: int
    episode: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    fold: str = ""
    lane: str = ""
    done: bool = False


class OutboxRow(Struct, frozen=True):
    """A row of the outbox: what is to be told, and what came of it; times in ms UTC."""

    id: int
    channel: str
    kind: str
    episode: int | None
    payload: dict[str, Any]
    dedup_key: str
    fold: str
    lane: str
    created_at: int
    not_before: int
    attempts: int
    sent_at: int | None
    gave_up_at: int | None
    cancelled_at: int | None
    last_error: str
