"""HTTP messages in one piece and one byte at a time, URLs, compressed bodies, certificates."""

import gzip
import zlib
from collections.abc import Callable, Iterator

from benchmarks.growth_cases.case import KIB, MIB, Case, Make, cases, repeat, uncached
from watchdeck.domain.values.host_address import is_private
from watchdeck.net.address import parse_url, userinfo
from watchdeck.net.decompress import decompress
from watchdeck.net.http1 import MAX_HEAD, MessageParser, RequestParser, ResponseParser
from watchdeck.net.tls import expiry

HEADS: dict[str, Make] = {
    "blanks before a value": repeat(b" ", b"%b\r\nA:", b"x\r\n\r\n"),
    "blanks after a value": repeat(b" ", b"%b\r\nA:x", b"\r\n\r\n"),
    "a long value": repeat(b"x", b"%b\r\nA: ", b"\r\n\r\n"),
    "a long name": repeat(b"x", b"%b\r\n", b": x\r\n\r\n"),
    "many headers": repeat(b"a: b\r\n", b"%b\r\n", b"\r\n"),
    "many lines without a name": repeat(b":\r\n", b"%b\r\n", b"\r\n"),
    "continued lines": repeat(b" x\r\n", b"%b\r\nA: x\r\n", b"\r\n"),
    "commas": repeat(b",", b"%b\r\nTransfer-Encoding: ", b"\r\n\r\n"),
    "line breaks": repeat(b"\r\n"),
    "letters": repeat(b"x"),
}

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

BODIES: dict[str, Make] = {
    "a body without length": repeat(b"x", b"HTTP/1.1 200 OK\r\n\r\n"),
    "a body with length": lambda n: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n + b"x" * n,
    "large chunks": repeat(b"1000\r\n" + b"x" * 4_096 + b"\r\n", CHUNKED),
    "chunks of one byte": repeat(b"1\r\nx\r\n", CHUNKED),
    "a chunk extension": repeat(b"x", CHUNKED + b"1;"),
    "chunk extensions": repeat(b"1;aaaa\r\nx\r\n", CHUNKED),
    "digits of a chunk size": repeat(b"0", CHUNKED),
    "trailers": repeat(b"a: b\r\n", CHUNKED + b"0\r\n"),
    "interim responses": repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def message_cases() -> Iterator[Case]:
    """Messages as the client and the intake parse them; one byte at a time is the slowest wire."""
    for words, feed in (("", _feed_whole), (", byte by byte", _feed_bytes)):
        for side, start, parser in (
            ("response head", b"HTTP/1.1 200 OK", lambda: ResponseParser("GET", MIB)),
            ("request head", b"POST / HTTP/1.1", lambda: RequestParser(4 * MIB)),
        ):
            heads = {shape: _started(make, start) for shape, make in HEADS.items()}
            yield from cases(f"{side}{words}", _reader(feed, parser), heads, MAX_HEAD)
        response = _reader(feed, lambda: ResponseParser("GET", MIB))
        yield from cases(f"response body{words}", response, BODIES, MIB)
    target = {"slashes": repeat(b"/", b"GET ", b" HTTP/1.1\r\n\r\n")}
    request = _reader(_feed_whole, lambda: RequestParser(MIB))
    yield from cases("request target", request, target, MAX_HEAD)


Feed = Callable[[MessageParser, bytes], None]


def _started(make: Make, start: bytes) -> Make:
    return lambda n: make(n).replace(b"%b", start)


def _reader(feed: Feed, parser: Callable[[], MessageParser]) -> Callable[[bytes], None]:
    return lambda data: feed(parser(), data)


def _feed_whole(parser: MessageParser, data: bytes) -> None:
    view = memoryview(data)
    while view and not parser.complete:
        view = view[parser.feed(view) :]
    parser.end()


def _feed_bytes(parser: MessageParser, data: bytes) -> None:
    view = memoryview(data)
    for place in range(len(view)):
        if parser.complete:
            return
        parser.feed(view[place : place + 1])
    parser.end()


def url_cases() -> Iterator[Case]:
    hosts = {
        "dots": repeat("a.", "http://"),
        "letters of another script": repeat("é", "http://"),
        "labels of another script": repeat("é" * 63 + ".", "http://"),
        "combining characters": repeat("\u0315\u0316", "http://a"),
        "brackets": repeat(":", "http://[", "]"),
        "signs of users": repeat("@", "http://"),
        "escapes": repeat("%", "http://a/?"),
    }
    yield from cases("URL", parse_url, hosts, 2_048)
    yield from cases("user of a URL", userinfo, hosts, 2_048)
    base = parse_url("http://a/b/c")
    locations = {
        **{shape: make for shape, make in hosts.items() if shape != "combining characters"},
        "steps up": repeat("../"),
        "steps down and up": repeat("a/../", "/"),
        "blanks": repeat(" "),
    }
    yield from cases("redirect", base.redirect, locations, 8 * KIB)
    addresses = {"colons": repeat(":"), "digits": repeat("1"), "points": repeat("1.")}
    yield from cases("IP address", is_private, addresses, 2_048)


def compression_cases() -> Iterator[Case]:
    compressed: dict[str, Make] = {
        "zeros, to the limit": lambda n: gzip.compress(bytes(n * 100), 6),
        "empty blocks": repeat(b"\x00\x00\x00\xff\xff", b"\x78\x9c"),
        "no gzip": repeat(b"\xff"),
        "many members": repeat(gzip.compress(b"x")),
        "bytes after the end": repeat(b"x", zlib.compress(b"x")),
    }
    for encoding in ("gzip", "deflate"):
        read = _decompressor(encoding)
        yield from cases(f"body in {encoding}", read, compressed, MIB)


def _decompressor(encoding: str) -> Callable[[bytes], bytes]:
    return lambda body: decompress(body, encoding, MIB)


def certificate_cases() -> Iterator[Case]:
    certificates: dict[str, Make] = {
        "nested": repeat(b"\x30\x82"),
        "long sizes": repeat(b"\xff"),
        "a long time": _long_time,
    }
    yield from cases("certificate", uncached(expiry), certificates, 100 * KIB)


def _long_time(n: int) -> bytes:
    header = b"\x30\x84" + n.to_bytes(4, "big")
    time = b"\x17\x01" + b"1" + b"\x18\x84" + n.to_bytes(4, "big") + b"1" * n
    return header + header + b"\x02\x01\x01\x30\x00\x30\x00" + header + time


def all_cases() -> Iterator[Case]:
    yield from message_cases()
    yield from url_cases()
    yield from compression_cases()
    yield from certificate_cases()
