"""How much may be on its way."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from watchdeck.console.terminal.flow_control import ASK_AFTER, PATIENCE, WINDOW, FlowControl


def sent(flow: FlowControl, count: int, now: float = 0.0) -> bool:
    """Send; whether a question went behind it."""
    flow.send(count)
    asks = flow.is_due
    if asks:
        flow.ask(now)
    return asks


def answering() -> FlowControl:
    """The flow to a terminal that answered once."""
    flow = FlowControl()
    assert sent(flow, 100)
    assert flow.answer(0.25) == 0.25
    return flow


def test_the_first_frame_carries_a_question_and_small_ones_after_it_none() -> None:
    flow = answering()
    assert not sent(flow, ASK_AFTER - 1)
    assert sent(flow, 1)


def test_a_terminal_that_never_answered_is_never_waited_for() -> None:
    flow = FlowControl()
    for _ in range(9):
        sent(flow, WINDOW)
        assert flow.is_open(1.0)


def test_a_frame_waits_until_what_went_before_it_has_arrived() -> None:
    flow = answering()
    sent(flow, WINDOW + 1)
    assert not flow.is_open(1.0)
    assert flow.answer(1.5) == 1.5
    assert flow.is_open(1.5)


def test_what_went_out_behind_a_question_is_still_on_its_way() -> None:
    flow = answering()
    sent(flow, WINDOW)
    sent(flow, WINDOW)
    flow.answer(1.0)
    assert flow.is_due
    assert flow.is_open(1.0)
    sent(flow, 1)
    assert not flow.is_open(1.0)


def test_an_answer_that_is_lost_holds_nothing_for_ever_but_longer_each_time() -> None:
    flow, now = answering(), 0.0
    for patience in (PATIENCE, 2 * PATIENCE, 4 * PATIENCE):
        sent(flow, WINDOW + 1, now)
        assert flow.opens_at == now + patience
        assert not flow.is_open(now + patience - 0.1)
        now += patience
        assert flow.is_open(now)


def test_an_answer_that_nobody_asked_for_means_nothing() -> None:
    assert answering().answer(1.0) is None
    assert FlowControl().answer(1.0) is None


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
    @rule(takes=st.floats(0.001, PATIENCE - 1))
    def answer(self, takes: float) -> None:
        self.now += takes / 100
        arrived = self.questions.pop(0)
        self.underway -= arrived
        self.questions = [behind - arrived for behind in self.questions]
        self.flow.answer(self.now)
        if self.flow.is_due:
            self.flow.ask(self.now)
            self.questions.append(self.underway)

    @rule()
    def wait(self) -> None:
        opens = self.flow.opens_at
        if opens is not None:
            self.now = opens
            assert self.flow.is_open(self.now)
            self.underway, self.questions = 0, []

    @invariant()
    def nothing_waits_without_an_end(self) -> None:
        if not self.flow.is_open(self.now):
            assert self.flow.opens_at is not None

    @invariant()
    def a_frame_may_go_only_behind_a_window_of_others(self) -> None:
        assert self.flow.is_open(self.now) == (self.underway <= WINDOW)


Asking.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAsking = Asking.TestCase
