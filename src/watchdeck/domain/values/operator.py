"""The operator: the person who presses a key or runs a command."""

from msgspec import Struct


class Operator(Struct, frozen=True):
    """The operating-system user, and the address of their SSH session (empty without one)."""

    user: str
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.user} from {self.origin}" if self.origin else self.user
