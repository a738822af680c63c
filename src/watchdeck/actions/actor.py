"""Who acts on which store, and what they may do there."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from watchdeck.domain.notifications.routing import Routing
    from watchdeck.domain.values.operator import Operator
    from watchdeck.store.files.directory import StoreDirectory


class ActorRole(IntEnum):
    """What somebody may do; each role may also do what the ones before it may."""

    VIEWER = 0
    OPERATOR = 1


class Actor(Struct, frozen=True):
    """An operator at a store; without `routing` nobody outside is notified of what they do."""

    directory: StoreDirectory
    who: Operator
    routing: Routing | None = None
    role: ActorRole = ActorRole.OPERATOR
