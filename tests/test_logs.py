import io
import itertools
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck import logs
from watchdeck.failure_limiter import (
    CROWD,
    FORGET_AFTER,
    OTHERS,
    RETURN_WINDOW,
    FailureLimiter,
)
from watchdeck.logs import (
    FailureEvents,
    FailureLog,
    LineFormatter,
    LogHandler,
    fields,
)

MINUTE = 60_000
TIMES = st.integers(1, 3 * RETURN_WINDOW)
FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"]+)')


def record(
    message: object, name: str = "watchdeck.test", level: int = logging.INFO, **values: Any
) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "", 0, message, None, None)
    made.__dict__ |= fields(**values)
    return made


def journal_line(message: object, name: str = "watchdeck.test", **values: Any) -> str:
    return LineFormatter(for_journal=True).format(record(message, name, **values))


def logged(limiter: FailureLimiter, subject: str, times: range) -> list[int]:
    """The numbers of the failures that are logged."""
    found = (limiter.record_failure(subject, now) for now in times)
    return [one.count for one in found if one]


@given(failures=st.integers(1, 2_000))
def test_the_failures_that_are_logged_are_the_powers_of_two(failures: int) -> None:
    limiter = FailureLimiter()
    counts = logged(limiter, "hook", range(1, failures + 1))
    assert counts == [1 << n for n in range(failures.bit_length())]
    end = limiter.record_success("hook", failures + 1)
    assert end is not None
    assert end.count == failures
    assert end.left_out == failures - counts[-1]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, RETURN_WINDOW)), max_size=200))
def test_no_failure_is_lost_from_the_counts_and_each_logged_one_has_its_end(
    attempts: list[tuple[bool, int]],
) -> None:
    limiter, now, failures, counted, says_failing = FailureLimiter(), 0, 0, 0, False
    for fails, pause in attempts:
        now += pause
        if fails:
            failures += 1
            found = limiter.record_failure("hook", now)
            counted += found.left_out + 1 if found else 0
            says_failing = says_failing or found is not None
        else:
            found = limiter.record_success("hook", now)
            assert (found is not None) is says_failing
            counted += found.left_out if found else 0
            says_failing = False
    state = limiter._states.get("hook")
    assert failures == counted + (state.left_out if state else 0)


def test_a_subject_that_works_again_starts_anew_after_a_while() -> None:
    limiter = FailureLimiter()
    assert logged(limiter, "hook", range(1, 4)) == [1, 2]
    assert limiter.record_success("hook", 5) is not None
    assert limiter.record_success("hook", 6) is None
    assert logged(limiter, "hook", range(RETURN_WINDOW + 6, RETURN_WINDOW + 9)) == [1, 2]


def test_a_subject_that_flaps_each_minute_for_a_day_is_logged_a_few_times() -> None:
    limiter, lines = FailureLimiter(), 0
    for n in range(24 * 60):
        lines += limiter.record_failure("hook", 1 + n * MINUTE) is not None
        lines += limiter.record_success("hook", 2 + n * MINUTE) is not None
    assert lines == 2 * 11


def test_a_subject_that_flaps_with_longer_failures_is_not_logged_for_ever_either() -> None:
    limiter, lines = FailureLimiter(), 0
    for n in range(24 * 60):
        lines += len(logged(limiter, "hook", range(1 + n * MINUTE, 7 + n * MINUTE)))
        lines += limiter.record_success("hook", 8 + n * MINUTE) is not None
    assert lines < 60


@given(flaps=st.integers(3, 5_000))
def test_a_subject_that_flapped_all_day_and_stays_down_is_logged_soon(flaps: int) -> None:
    limiter = FailureLimiter()
    for n in range(flaps):
        limiter.record_failure("hook", 1 + n)
        limiter.record_success("hook", 1 + n)
    assert logged(limiter, "hook", range(flaps, flaps + 65))[-1] == 64


@given(failing=st.integers(1, 3_000))
def test_a_crowd_that_fails_together_is_logged_in_a_few_lines(failing: int) -> None:
    limiter = FailureLimiter()
    lines = [limiter.record_failure(f"model-{n}", 1) for n in range(failing)]
    larger = max(0, failing.bit_length() - CROWD.bit_length())
    assert sum(line is not None for line in lines) == min(failing, CROWD) + larger
    ends = [limiter.record_success(f"model-{n}", 2) for n in range(failing)]
    assert [end is not None for end in ends] == [line is not None for line in lines]


def test_a_failure_without_an_end_starts_anew_when_it_stays_away() -> None:
    limiter = FailureLimiter(FORGET_AFTER)
    assert logged(limiter, "401", range(1, 6)) == [1, 2, 4]
    later = 5 + FORGET_AFTER
    assert logged(limiter, "401", range(later, later + 2)) == [1, 2]


@given(st.lists(st.tuples(st.integers(0, 1_000), TIMES), max_size=300))
def test_the_memory_is_bounded_whoever_fails(attempts: list[tuple[int, int]]) -> None:
    limiter, now = FailureLimiter(FORGET_AFTER, capacity=8), 0
    for stranger, pause in attempts:
        now += pause
        limiter.record_failure(f"10.0.0.{stranger}", now)
        assert len(limiter._states) <= 8 + 1
        assert limiter._failing == sum(one.count > 0 for one in limiter._states.values())


def test_those_for_whom_there_is_no_place_are_counted_together() -> None:
    limiter = FailureLimiter(FORGET_AFTER, capacity=2)
    lines = [limiter.record_failure(f"10.0.0.{n}", 1) for n in range(102)]
    assert sum(line is not None for line in lines) == 2 + 7
    assert limiter._states[OTHERS].count == 100


def test_a_failure_and_its_end_are_two_lines_with_fields() -> None:
    stream, clock = io.StringIO(), itertools.chain([1], itertools.repeat(42_001))
    with written_to(stream) as logger:
        events = FailureEvents("channel", "channel fails", "channel works again")
        log = FailureLog(logger, events, lambda: next(clock))
        for _ in range(17):
            log.record_failure("pager", type="webhook", problem="500 Internal Server Error")
        log.record_success("pager", type="webhook")
        log.record_success("pager", type="webhook")
    *lines, end = stream.getvalue().splitlines()
    about = 'channel=pager type=webhook problem="500 Internal Server Error"'
    assert lines == [
        f"<4>channel fails {about}",
        f"<4>channel fails {about} count=2",
        f"<4>channel fails {about} count=4 left_out=1",
        f"<4>channel fails {about} count=8 left_out=3",
        f"<4>channel fails {about} count=16 left_out=7",
    ]
    assert end == "<6>channel works again channel=pager type=webhook failures=17 lasted=42s"


@contextmanager
def written_to(stream: io.StringIO) -> Iterator[logging.Logger]:
    """A logger of watchdeck whose lines go to this stream, as to the journal."""
    logger = logging.getLogger("watchdeck.test")
    handler = LogHandler(stream, for_journal=True)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@given(before=st.text(max_size=900), secret=st.text("abcdef0123456789/?=&", min_size=8))
def test_nothing_of_an_address_is_left_wherever_it_stands(before: str, secret: str) -> None:
    line = journal_line("channel fails", problem=f"{before}://{secret}")
    assert "://…" in line or "…" in line
    assert secret not in line.removeprefix("<6>channel fails").partition("://")[2]


@given(message=st.text(), value=st.text(max_size=2_000), name=st.sampled_from(["ours", "theirs"]))
def test_any_text_becomes_one_clean_line(message: str, value: str, name: str) -> None:
    logger = {"ours": "watchdeck.test", "theirs": "httpx"}[name]
    line = journal_line(message, logger, problem=value)
    assert line.splitlines() == [line]
    assert line.startswith("<6>")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\u2028\ud800-\udfff]", line)
    assert len(line.encode()) <= 4_096


@given(
    first=st.text(max_size=150).filter(lambda text: "://" not in text),
    second=st.integers() | st.text(max_size=150).filter(lambda text: "://" not in text),
)
def test_a_value_cannot_look_like_another_field(first: str, second: int | str) -> None:
    line = journal_line("channel fails", channel=first, problem=second)
    found = dict(FIELD.findall(line.removeprefix("<6>channel fails")))
    wanted = {"channel": first, "problem": second}
    assert {*found} == {name for name, value in wanted.items() if value != ""}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a\nb\x1b[2J", "problem=a^Jb^[[2J", id="control characters are visible"),
        pytest.param('say "no"', r'problem="say \"no\""', id="a quote is escaped"),
        pytest.param("a=b", 'problem="a=b"', id="an equals sign is quoted"),
        pytest.param(
            "POST https://me:pw@host/T0/k3y?x=1 failed",
            'problem="POST https://… failed"',
            id="an address keeps its scheme alone",
        ),
        pytest.param("tgram://token/chat", "problem=tgram://…", id="in some the host is the key"),
    ],
)
def test_a_value_is_written_so(text: str, line: str) -> None:
    assert journal_line("channel fails", problem=text) == f"<6>channel fails {line}"


def test_a_terminal_gets_the_time_and_the_level() -> None:
    made = record("collector started", pid=7, empty="", nothing=None, none=0)
    made.created = 1_796_090_000.5
    line = LineFormatter(for_journal=False).format(made)
    assert line == "2026-12-01T01:53:20.500Z INFO collector started pid=7 none=0"


@pytest.mark.parametrize(
    ("level", "priority"),
    [("CRITICAL", 2), ("ERROR", 3), ("WARNING", 4), ("INFO", 6), ("DEBUG", 7)],
)
def test_the_journal_gets_the_priority(level: str, priority: int) -> None:
    made = record("x", level=logging.getLevelNamesMapping()[level])
    assert LineFormatter(for_journal=True).format(made) == f"<{priority}>x"


def test_an_exception_is_named_by_type_and_place_alone() -> None:
    made = record("collector failed")
    try:
        dict[str, int]()["s3cret"]
    except KeyError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    line = LineFormatter(for_journal=True).format(made)
    assert re.fullmatch(r'<6>collector failed fault="KeyError at test_logs.py:\d+"', line)


def test_a_reader_that_does_not_read_costs_lines_and_no_time() -> None:
    reader, writer = os.pipe()
    with open(writer, "w", encoding="utf-8") as stream, open(reader, encoding="utf-8") as pipe:  # noqa: PTH123
        handler = LogHandler(stream, for_journal=True)
        for n in range(1_000):
            handler.handle(record("x" * 900, number=n))
        accepted = sum("number=" in pipe.readline() for _ in range(50))
        handler.handle(record("heard again"))
        while "number=" in (dropped := pipe.readline()):
            accepted += 1
        heard = pipe.readline()
    assert dropped == (
        f"<4>log lines were dropped: their reader was too slow lines={1_000 - accepted}\n"
    )
    assert heard == "<6>heard again\n"


def test_a_stream_that_is_closed_raises_nothing() -> None:
    stream = io.StringIO()
    handler = LogHandler(stream, for_journal=True)
    stream.close()
    handler.handle(record("collector started"))


def run(code: str, *, journal: bool = False) -> str:
    """What a process writes to stderr, connected as systemd does for `journal`."""
    prelude = """
import asyncio, logging, os, sys, threading, warnings
from watchdeck import logs
"""
    if journal:
        prelude += """
found = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
"""
    done = subprocess.run(
        [sys.executable, "-c", prelude + code], capture_output=True, text=True, check=True
    )
    return done.stderr


LIBRARIES = """
for name in ("httpx", "apprise", "anything.else"):
    logger = logging.getLogger(name)
    logger.debug("GET %s", "https://hooks.example/s3cret")
    logger.info("HTTP Request: POST https://hooks.example/s3cret")
    logger.warning("cannot reach %s: %r", "https://hooks.example/s3cret", {"key": "s3cret"})
    logger.error(f"An invalid Slack Token ({'s3cret'}) was specified")
    try:
        raise ValueError("s3cret")
    except ValueError:
        logger.exception("Task exception was never retrieved")
async def main():
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Unhandled exception", "exception": ValueError("s3cret"), "url": "s3cret"})
asyncio.run(main())
"""


def test_a_library_is_heard_from_its_warnings_on_and_without_its_texts() -> None:
    lines = run("logs.configure('debug')" + LIBRARIES, journal=True).splitlines()
    assert "s3cret" not in "".join(lines)
    said = "a library reports a problem logger=httpx at=<string>:N"
    assert [shape_of(line) for line in lines if "httpx" in line] == [
        f"<4>{said}",
        f"<3>{said}",
        f'<3>{said} fault="ValueError at <string>:N"',
    ]
    assert shape_of(lines[-1]).endswith(
        'logger=asyncio at=base_events.py:N problem="Unhandled exception" fault=ValueError'
    )


def test_a_library_that_repeats_itself_is_a_few_lines() -> None:
    code = """
logs.configure()
for n in range(1_000):
    logging.getLogger("asyncio").warning("socket.send() raised exception.")
"""
    lines = run(code, journal=True).splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith('problem="socket.send() raised exception." count=512 left_out=255')


def shape_of(line: str) -> str:
    """A line with N in place of the number of a line of code."""
    return re.sub(r":\d+", ":N", line)


def test_nothing_is_written_in_a_process_that_does_not_ask_for_it() -> None:
    ours = "logging.getLogger('watchdeck.store').error('store file created')"
    assert run(f"logs.discard()\n{ours}{LIBRARIES}") == ""


def test_the_level_is_that_of_our_own_lines() -> None:
    code = """
logs.configure("warning")
logging.getLogger("watchdeck.x").info("not said")
logging.getLogger("watchdeck.x").warning("said")
"""
    assert [line[25:] for line in run(code).splitlines()] == ["WARNING said"]


def test_a_stream_that_is_not_the_journal_gets_times_though_the_variable_is_set() -> None:
    code = """
os.environ["JOURNAL_STREAM"] = "1:1"
logs.configure()
logging.getLogger("watchdeck.x").info("said")
"""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z INFO said\n", run(code))


def test_a_thread_that_ends_with_an_exception_is_one_line() -> None:
    code = """
logs.configure()
def fail():
    raise KeyError("s3cret")
thread = threading.Thread(target=fail, name="writer")
thread.start()
thread.join()
"""
    [line] = run(code, journal=True).splitlines()
    said = '<2>a thread ended with an exception thread=writer fault="KeyError at <string>:'
    assert line.startswith(said)


def test_the_levels_that_can_be_asked_for_are_those_of_logging() -> None:
    assert {level.upper() for level in logs.LEVELS} <= logging.getLevelNamesMapping().keys()
