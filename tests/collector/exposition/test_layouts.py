"""Pages that change their order or their set of series at every scrape."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from watchdeck.collector.exposition import PageParser

FIXED = [f'fixed{{n="{number}"}}' for number in range(50)]


def body(values: dict[str, float]) -> bytes:
    return "".join(f"{name} {value}\n" for name, value in values.items()).encode()


def read(
    reader: PageParser, values: dict[str, float], digests: set[bytes] | None = None
) -> tuple[dict[str, float], int]:
    """The values of a page by series, and how many series were left out."""
    page = reader.read("e", body(values))
    if digests is not None:
        digests.add(page.layout.digest)
    names = [str(series).replace(',"', '"') for series in page.layout.series]
    found = dict(zip(names, page.values, strict=True))
    return {name: one for name, one in found.items() if not math.isnan(one)}, page.truncation.series


def test_a_page_in_another_order_at_every_scrape_keeps_one_layout_and_every_value() -> None:
    reader, rng = PageParser(), random.Random(1)
    layouts = set[bytes]()
    for number in range(200):
        values = {name: float(number * place) for place, name in enumerate(FIXED)}
        order = rng.sample(FIXED, len(FIXED))
        found, missing = read(reader, {name: values[name] for name in order}, layouts)
        assert (found, missing) == (values, 0)
    assert len(layouts) == 1


def test_a_page_with_another_set_at_every_scrape_loses_what_is_new_for_one_scrape_at_most() -> None:
    reader, rng = PageParser(), random.Random(2)
    digests = set[bytes]()
    for number in range(400):
        some = rng.sample([f'some{{n="{n}"}}' for n in range(40)], 20)
        late = [f'late{{n="{n}"}}' for n in range(200)] if number >= 300 else []
        values = dict.fromkeys((*FIXED, *some, *late), float(number))
        found, missing = read(reader, values, digests)
        assert missing == 0 or number in (300, 301)
        if missing == 0:
            assert found == values
    assert len(digests) <= 40


@given(st.lists(st.sets(st.integers(0, 30), min_size=1), min_size=1, max_size=60))
def test_a_value_is_never_that_of_another_series(sets: list[set[int]]) -> None:
    reader = PageParser()
    for number, chosen in enumerate(sets):
        values = {f'a{{n="{n}"}}': 100.0 * number + n for n in chosen}
        found, missing = read(reader, values)
        assert found.items() <= values.items()
        assert len(found) + missing == len(values)
