"""How much may be on its way."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from watchdeck.console.terminal.traffic import (
    IN_FLIGHT_LIMIT,
    REQUEST_AFTER,
    RESPONSE_TIMEOUT,
    FlowControl,
)


def sent(flow: FlowControl, count: int, now: float = 0.0) -> bool:
    """Send; whether a question went behind it."""
    flow.record_sent(count)
    asks = flow.is_request_due
    if asks:
        flow.record_request(now)
    return asks


def answering() -> FlowControl:
    """The flow to a terminal that answered once."""
    flow = FlowControl()
    assert sent(flow, 100)
    assert flow.record_response(0.25) == 0.25
    return flow


def test_the_first_frame_carries_a_question_and_small_ones_after_it_none() -> None:
    flow = answering()
    assert not sent(flow, REQUEST_AFTER - 1)
    assert sent(flow, 1)


def test_a_terminal_that_never_answered_is_never_waited_for() -> None:
    flow = FlowControl()
    for _ in range(9):
        sent(flow, IN_FLIGHT_LIMIT)
        assert flow.is_open(1.0)


def test_a_frame_waits_until_what_went_before_it_has_arrived() -> None:
    flow = answering()
    sent(flow, IN_FLIGHT_LIMIT + 1)
    assert not flow.is_open(1.0)
    assert flow.record_response(1.5) == 1.5
    assert flow.is_open(1.5)


def test_what_went_out_behind_a_question_is_still_on_its_way() -> None:
    flow = answering()
    sent(flow, IN_FLIGHT_LIMIT)
    sent(flow, IN_FLIGHT_LIMIT)
    flow.record_response(1.0)
    assert flow.is_request_due
    assert flow.is_open(1.0)
    sent(flow, 1)
    assert not flow.is_open(1.0)


def test_an_answer_that_is_lost_holds_nothing_for_ever_but_longer_each_time() -> None:
    flow, now = answering(), 0.0
    for patience in (RESPONSE_TIMEOUT, 2 * RESPONSE_TIMEOUT, 4 * RESPONSE_TIMEOUT):
        sent(flow, IN_FLIGHT_LIMIT + 1, now)
        assert flow.timeout_at == now + patience
        assert not flow.is_open(now + patience - 0.1)
        now += patience
        assert flow.is_open(now)


def test_an_answer_that_nobody_asked_for_means_nothing() -> None:
    assert answering().record_response(1.0) is None
    assert FlowControl().record_response(1.0) is None


class Asking(RuleBasedStateMachine):
    """A sender, and a terminal that answers in order, sometimes never."""

    def __init__(self) -> None:
        super().__init__()
        self.flow, self.now, self.underway = answering(), 1.0, 0
        self.questions: list[int] = []

    @precondition(lambda self: self.flow.is_open(self.now))
    @rule(count=st.integers(1, 20_000))
    def send(self, count: int) -> None:
        self.underway += count
        if sent(self.flow, count, self.now):
            self.questions.append(self.underway)

    @precondition(lambda self: self.questions)
    @rule(takes=st.floats(0.001, RESPONSE_TIMEOUT - 1))
    def answer(self, takes: float) -> None:
        self.now += takes / 100
        arrived = self.questions.pop(0)
        self.underway -= arrived
        self.questions = [behind - arrived for behind in self.questions]
        self.flow.record_response(self.now)
        if self.flow.is_request_due:
            self.flow.record_request(self.now)
            self.questions.append(self.underway)

    @rule()
    def wait(self) -> None:
        opens = self.flow.timeout_at
        if opens is not None:
            self.now = opens
            assert self.flow.is_open(self.now)
            self.underway, self.questions = 0, []

    @invariant()
    def nothing_waits_without_an_end(self) -> None:
        if not self.flow.is_open(self.now):
            assert self.flow.timeout_at is not None

    @invariant()
    def a_frame_may_go_only_behind_a_window_of_others(self) -> None:
        assert self.flow.is_open(self.now) == (self.underway <= IN_FLIGHT_LIMIT)


Asking.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAsking = Asking.TestCase
