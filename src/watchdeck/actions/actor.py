"""The actor of an action: an operator, a store, and what the operator may do there."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from watchdeck.domain.notifications.routing import Routing
    from watchdeck.domain.values.operator import Operator
    from watchdeck.store.files.directory import StoreDirectory


class ActorRole(IntEnum):
    """The role of an actor; each role may also do everything that the roles before it may."""

    VIEWER = 0
    OPERATOR = 1


class Actor(Struct, frozen=True):
    """An operator acting on a store; without `routing`, no channel is notified of the actions."""

    directory: StoreDirectory
    who: Operator
    routing: Routing | None = None
    role: ActorRole = ActorRole.OPERATOR
