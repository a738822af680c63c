from hypothesis import given
from hypothesis import strategies as st

from watchdeck.console.lines.list_position import (
    ListPosition,
    first_position,
    follow_row,
    move,
    move_to,
)

KEYS = tuple("abcdefghij")


def test_the_cursor_stays_on_its_row_when_rows_move() -> None:
    place = move(ListPosition(), KEYS, 5, 2)
    assert place.key == "c"
    assert follow_row(place, tuple("cabdefghij"), 5) == ListPosition("c", 0, 0)


def test_until_it_is_moved_the_cursor_rides_on_the_first_row() -> None:
    assert follow_row(ListPosition(), tuple("jabcdefghi"), 5) == ListPosition(None, 0, 0)
    assert follow_row(first_position(), KEYS, 5).index == 0


def test_the_scroll_stays_while_the_cursor_is_in_view() -> None:
    place = ListPosition("f", 5, 3)
    assert follow_row(place, tuple("abcdfeghij"), 5) == ListPosition("f", 4, 3)


def test_the_scroll_follows_a_cursor_that_would_leave_the_view() -> None:
    assert follow_row(ListPosition("a", 0, 0), tuple("bcdefghija"), 5) == ListPosition("a", 9, 5)


def test_a_row_that_is_gone_leaves_the_cursor_at_its_height() -> None:
    assert follow_row(ListPosition("c", 2, 0), tuple("abdefghij"), 5) == ListPosition("d", 2, 0)
    assert follow_row(ListPosition("j", 9, 5), ("a", "b"), 5) == ListPosition("b", 1, 0)


def test_a_row_that_comes_back_has_the_cursor_again_if_the_list_was_empty_meanwhile() -> None:
    gone = follow_row(ListPosition("c", 2, 0), (), 5)
    assert follow_row(gone, KEYS, 5).index == 2


def test_the_cursor_stops_at_both_ends() -> None:
    assert move(ListPosition("a", 0, 0), KEYS, 5, -3).key == "a"
    assert move(ListPosition("a", 0, 0), KEYS, 5, 99) == ListPosition("j", 9, 5)
    assert move(ListPosition(), (), 5, 1) == ListPosition()


def test_a_row_is_reached_by_its_number() -> None:
    assert move_to(ListPosition("a", 0, 0), KEYS, 5, 6) == ListPosition("g", 6, 2)


@given(
    st.lists(st.tuples(st.integers(-12, 12), st.permutations(KEYS)), max_size=12),
    st.integers(1, 12),
)
def test_whatever_happens_the_cursor_is_a_row_in_view(
    steps: list[tuple[int, list[str]]], height: int
) -> None:
    place = ListPosition()
    for by, keys in steps:
        moved = move(place, keys, height, by)
        place = follow_row(moved, keys, height)
        assert place == moved
        assert place.key == keys[place.index]
        assert place.top <= place.index < place.top + height
