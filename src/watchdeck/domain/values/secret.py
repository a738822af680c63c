"""What is needed to be let in: references to secrets, and how a certificate is checked."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Secret(Struct, frozen=True):
    """A reference to a secret, never the secret: an environment variable or a 0600 file.

    `prefix` stands before the value when it is sent ("Bearer ").
    """

    env: str | None = None
    file: str | None = None
    prefix: str = ""


class Tls(Struct, frozen=True):
    """How an endpoint's certificate is checked; `insecure` shows as a permanent badge."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    insecure: bool = False


SecretResolver = Callable[[Secret], str]
"""Returns the value of a secret. Raises SecretError."""
