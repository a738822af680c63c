"""A parser and a hostile input of any size."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, AnyStr

Make = Callable[[int], Any]
Read = Callable[[Any], object]

KIB, MIB = 1 << 10, 1 << 20

NAMES = 20_000
"""Different names in one input: more of them leave the caches, and any dictionary is slower."""


@dataclass(frozen=True, slots=True)
class Case:
    """A parser, and a shape of input that `make` builds in a size of about `n`."""

    parser: str
    shape: str
    make: Make
    read: Read
    bound: int | None = None
    """The largest input that the parser reads to its end; None when it has no limit."""


def cases(
    parser: str, read: Read, shapes: Mapping[str, Make], bound: int | None = None
) -> Iterator[Case]:
    """One case of a parser for each shape."""
    return (Case(parser, shape, make, read, bound) for shape, make in shapes.items())


def repeat(piece: AnyStr, head: AnyStr | None = None, tail: AnyStr | None = None) -> Make:
    """Inputs of a head, many equal pieces, and a tail."""
    first, last = piece[:0] if head is None else head, piece[:0] if tail is None else tail
    around = len(first) + len(last)
    return lambda n: first + piece * max(1, (n - around) // len(piece)) + last


def number(
    template: str, head: str = "", tail: str = "", most: int | None = None
) -> Callable[[int], str]:
    """Inputs of pieces with a number for `{}`, NAMES different ones; at most `most` pieces."""
    size = len(template) + 3

    def make(n: int) -> str:
        count = max(1, (n - len(head) - len(tail)) // size)
        count = count if most is None else min(count, most)
        return head + "".join(template.format(place % NAMES) for place in range(count)) + tail

    return make


def encoded(make: Callable[[int], str]) -> Make:
    """The same inputs as UTF-8."""
    return lambda n: make(n).encode()


def uncached(function: Any) -> Read:
    """The function under `lru_cache`: a second run must parse again."""
    read: Read = function.__wrapped__
    return read
