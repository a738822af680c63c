"""Metrics pages, JSON pages, and the selectors that search them."""

import json
from collections.abc import Iterator
from contextlib import suppress

from benchmarks.growth_cases.case import (
    MIB,
    NAMES,
    Case,
    Make,
    cases,
    encoded,
    number,
    repeat,
    uncached,
)
from watchdeck.collector.exposition import PageParser
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.kinds.detection import detect, detection_paths, model_names
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.selector import SeriesIndex, read_selector
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.custom_mapping import read_json_values, read_mapped_series
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probes import probe_requests, read_responses
from watchdeck.domain.values.json_assertion import read_assertion, read_json, read_path

KINDS = load_kinds()
VLLM = next(kind for kind in KINDS if kind.name == "vllm")
MOST_PROBED = max(KINDS, key=lambda kind: len(kind.probes))

PAGES: dict[str, Make] = {
    "many short equal lines": repeat(b"a 1\n"),
    "many series of one name": encoded(number('a{{i="{}"}} 1\n')),
    "lines without a value": repeat(b"a \n"),
    "blanks": repeat(b" "),
    "blank lines": repeat(b" \n"),
    "carriage returns": repeat(b"\r"),
    "blanks before the value": repeat(b" ", b"a", b"1"),
    "blanks before no value": repeat(b" ", b"a", b"!"),
    "indented lines": repeat(b" a 1\n"),
    "escaped quotes": repeat(b'\\"', b'a{b="', b'"} 1'),
    "escapes that never end": repeat(b'\\"', b'a{b="'),
    "backslashes that never end": repeat(b"\\\\", b'a{b="', b"} 1"),
    "many labels": encoded(number('l{}="x",', "a{", "} 1")),
    "equal labels": repeat(b'b="x",', b"a{", b"} 1"),
    "labels with a wrong end": repeat(b'b="x",', b"a{", b"!} 1"),
    "lines of many labels with a wrong end": repeat(b"a{" + b'b="x",' * 5_000 + b"!} 1\n"),
    "lines of many quoted names": repeat(b"{" + b'"b",' * 7_000 + b"} 1\n"),
    "quoted names": repeat(b'"b"="x",', b"{", b"} 1"),
    "quotes": repeat(b'"'),
    "quotes in braces": repeat(b'""', b"a{", b" 1"),
    "commas": repeat(b",", b"a{", b"} 1"),
    "opening braces": repeat(b"{"),
    "braces": repeat(b"{}"),
    "half an exemplar": repeat(b'b="x",', b'a{b="c"} 1 # {', b" 1"),
    "many exemplars": repeat(b' # {b="x"} 1', b"a 1"),
    "digits": repeat(b"1", b"a "),
    "digits after the point": repeat(b"1", b"a 0."),
    "digits of the exponent": repeat(b"1", b"a 1e"),
    "numbers with underscores": repeat(b"_1", b"a 1"),
    "numbers that overflow": repeat(b"a 1e999\n"),
    "quotes that never end, after TYPE": repeat(b'# TYPE "\n', b"a 1\n"),
    "escapes after TYPE": repeat(b"\\a", b'# TYPE "', b"\na 1\n"),
    "many types": encoded(number("# TYPE a{} counter\n", "a 1\n")),
    "blanks after TYPE": repeat(b" ", b"# TYPE", b"\na 1\n"),
    "blanks in comments": repeat(b"#" + b" " * 99 + b"\n", b"a 1\n"),
    "a long name": repeat(b"_", b"a", b" 1"),
    "a long label": repeat(b"x", b'a{b="', b'"} 1'),
    "no UTF-8": repeat(b"\xff", b'a{b="', b'"} 1'),
}


def page_cases() -> Iterator[Case]:
    yield from cases("page", _read_page, PAGES, MIB)
    again = {shape: _parsed_before(make) for shape, make in PAGES.items()}
    yield from cases("page, 2nd scrape", lambda it: it[0].read("m", it[1]), again, MIB)
    yield from cases("pages with new labels", _read_pages, {"of 20 scrapes": _changing_pages}, MIB)
    openmetrics = {"blanks after the last line": repeat(b" ", b"a 1\n")}
    yield from cases(
        "OpenMetrics page",
        lambda body: PageParser().read("m", body, "application/openmetrics-text"),
        openmetrics,
        MIB,
    )
    yield from cases("plan of a page", _plan_of, {"buckets": _buckets, "equal hashes": _hashes})
    yield from cases("kind of a page", lambda layout: detect(KINDS, layout.series, {}), LAYOUTS)
    yield from cases("pattern of a selector", _match_selector, {"a near match": _long_label}, 1_024)


def _read_page(body: bytes) -> object:
    return PageParser().read("m", body)


def _parsed_before(make: Make) -> Make:
    def build(n: int) -> tuple[PageParser, bytes]:
        parser, body = PageParser(), make(n)
        with suppress(ValueError):
            parser.read("m", body)
        return parser, body

    return build


def _changing_pages(n: int) -> list[bytes]:
    lines = max(1, n // 16)
    return [
        b"".join(b'a{i="%d-%d"} 1\n' % (scrape, line) for line in range(lines))
        for scrape in range(20)
    ]


def _read_pages(bodies: list[bytes]) -> None:
    parser = PageParser()
    for body in bodies:
        parser.read("m", body)


def _histogram(bounds: list[float]) -> Layout:
    name = "vllm:e2e_request_latency_seconds_bucket"
    labels = [(("le", repr(bound)), ("model_name", "m")) for bound in [*bounds, float("inf")]]
    return Layout(tuple(Series(name, pairs, SeriesType.HISTOGRAM) for pairs in labels))


def _buckets(n: int) -> Layout:
    return _histogram([float(bound) for bound in range(n)])


def _hashes(n: int) -> Layout:
    """Bounds whose hashes have equal low bits, the worst for a dictionary."""
    return _histogram([float(bound << 40) for bound in range(n)])


def _plan_of(layout: Layout) -> object:
    return build_plan(VLLM, Endpoint("m", "http://m"), layout)


LAYOUTS: dict[str, Make] = {
    "many names": lambda n: Layout(tuple(Series(f"a{place % NAMES}") for place in range(n))),
    "one name": lambda n: Layout((Series("vllm:num_requests_running"),) * n),
}


def _long_label(n: int) -> SeriesIndex:
    return SeriesIndex(Layout((Series("a", (("b", "a" * n),)),)))


def _match_selector(index: SeriesIndex) -> object:
    return index.find('a{b=~".*a.*b"}')


JSON: dict[str, Make] = {
    "opening brackets": repeat(b"["),
    "nested below the limit": lambda n: b"[" * min(n, 900) + b"]" * min(n, 900),
    "empty lists": repeat(b"[],", b"[", b"1]"),
    "empty objects": repeat(b"{},", b"[", b"1]"),
    "equal names": repeat(b'"a":1,', b"{", b'"a":1}'),
    "many names": encoded(number('"a{}":1,', "{", '"b":1}')),
    "escapes": repeat(b"\\u0041", b'"', b'"'),
    "half surrogates": repeat(b"\\ud800", b'"', b'"'),
    "a text that never ends": repeat(b"\\\\", b'"'),
    "digits": repeat(b"1"),
    "digits after the point": repeat(b"1", b"1."),
    "digits of the exponent": repeat(b"1", b"1e"),
    "blanks": repeat(b" "),
    "no UTF-8": repeat(b"\xff", b'"', b'"'),
    "zero bytes": repeat(b"\x00"),
}


def json_cases() -> Iterator[Case]:
    yield from cases("JSON", read_json, JSON, 4 * MIB)
    yield from cases("JSON page", lambda body: read_json_values(MAP, body), JSON_PAGES, MIB)
    yield from cases("JSON assertion", _count_matches, {"many values": _numbers}, 20_000)
    yield from cases("answers to all detection probes", _detect, JSON_PAGES, MIB)
    yield from cases("answers to the probes of a scrape", _read_probes, JSON_PAGES, MIB)
    yield from cases("names of models", _model_names, {"many": _model_list}, MIB)


MAP = {"requests": "$[*][*].a", "in_flight": "$[0]", "accuracy": "$.a"}
JSON_PAGES = {shape: JSON[shape] for shape in ("empty lists", "equal names", "escapes", "digits")}
ASSERTION = read_assertion(f"$[*] in [{'-1,' * 150}-2]")


def _numbers(n: int) -> list[int]:
    return list(range(n))


def _count_matches(values: list[int]) -> int:
    return ASSERTION.count_matches(values)


def _detect(body: bytes) -> object:
    return detect(KINDS, (), {path: ProbeResponse(200, body) for path in detection_paths(KINDS)})


def _read_probes(body: bytes) -> object:
    paths = [path for path, _ in probe_requests(MOST_PROBED, "m")]
    return read_responses(MOST_PROBED, {path: ProbeResponse(200, body) for path in paths}, "m")


def _model_list(n: int) -> bytes:
    return json.dumps({"data": [{"id": f"model-{place}"} for place in range(n // 22)]}).encode()


def _model_names(body: bytes) -> object:
    return model_names(VLLM, (), {VLLM.models_path or "": ProbeResponse(200, body)})


def selector_cases() -> Iterator[Case]:
    selectors = {
        "blanks": repeat(" "),
        "blanks in braces": repeat(" ", "a{", "}"),
        "conditions with a wrong end": repeat('b="c",', "a{", "!}"),
        "escapes that never end": repeat('\\"', 'a{b="', "}"),
    }
    yield from cases("selector", uncached(read_selector), selectors, 1_000)
    paths = {
        "names": repeat(".a", "$", "!"),
        "a long name": repeat("a", "$.", "!"),
        "blanks": repeat(" "),
    }
    yield from cases("JSON path", uncached(read_path), paths, 500)
    assertions = {
        "many values": repeat("1,", "$ in [", "1]"),
        "quotes that never end": repeat("'", "$ == "),
        "opening brackets": repeat("[", "$ == "),
    }
    yield from cases("text of a JSON assertion", uncached(read_assertion), assertions, 500)
    mapped = {
        "blanks": repeat(" ", "a", "!"),
        "signs": repeat(" *", "a"),
        "blanks after the number": repeat(" ", "a * 1", "!"),
        "digits": repeat("1", "a * ", "!"),
        "runs of blanks": repeat(" " * 30 + "*", "a *"),
    }
    yield from cases("mapped series", read_mapped_series, mapped, 1_024)


def all_cases() -> Iterator[Case]:
    yield from page_cases()
    yield from json_cases()
    yield from selector_cases()
