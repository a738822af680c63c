"""What is needed to be let in: references to secrets, and how a certificate is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a secret, never the secret: an environment variable or a 0600 file.

    `prefix` stands before the value when it is sent ("Bearer ").
    """

    env: str | None = None
    file: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Tls:
    """How an endpoint's certificate is checked; `insecure` shows as a permanent badge."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    insecure: bool = False


SecretResolver = Callable[[Secret], str]
"""Returns the value of a secret. Raises SecretError."""
