"""Who acts: the person behind a key or a command, as the system knows them."""

from __future__ import annotations

from msgspec import Struct


class Operator(Struct, frozen=True):
    """The user's name at the operating system, and where their SSH session came from, if any."""

    user: str
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.user} from {self.origin}" if self.origin else self.user
