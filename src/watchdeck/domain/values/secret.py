"""References to secrets, and the TLS settings of a connection."""

from collections.abc import Callable

from msgspec import Struct


class Secret(Struct, frozen=True):
    """A reference to a secret, never its value: an environment variable or a file of mode 0600.

    `prefix` is put before the value when it is sent ("Bearer ").
    """

    env: str | None = None
    file: str | None = None
    prefix: str = ""


class Tls(Struct, frozen=True):
    """TLS settings; `insecure` skips the check of the certificate, and shows as a badge."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    insecure: bool = False


SecretResolver = Callable[[Secret], str]
"""Returns the value of a secret. Raises SecretError."""
