"""Whatever goes in comes out, bit for bit."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from watchdeck.store.metrics.codec import (
    decode_column,
    encode_blob,
    encode_column,
    load_blob,
)


def same(values: NDArray[np.float64]) -> bool:
    back = decode_column(encode_column(values), len(values))
    return bool((back.view(np.uint64) == values.view(np.uint64)).all()) and len(back) == len(values)


def bits(*words: int) -> NDArray[np.float64]:
    return np.array(words, np.uint64).view(np.float64)


STALE, QUIET = 0x7FF0000000000002, 0x7FF8000000000001


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.array([1.5]), id="one value"),
        pytest.param(np.array([0.0, -0.0]), id="zeros of both signs"),
        pytest.param(np.array([-0.0, -0.0]), id="negative zeros"),
        pytest.param(bits(STALE, STALE), id="a constant staleness mark"),
        pytest.param(bits(STALE, QUIET, 0, STALE), id="NaNs of different payloads"),
        pytest.param(np.array([1, np.nan, 2]), id="a NaN among integers"),
        pytest.param(np.array([np.inf, -np.inf, 1]), id="infinities"),
        pytest.param(np.array([1e308, -1e308]), id="values that overflow when scaled"),
        pytest.param(np.array([5e-324, 0]), id="the smallest number"),
        pytest.param(np.array([2.0**53 - 1, 0]), id="the last exact integer"),
        pytest.param(np.array([2.0**53, 1]), id="an integer that is not exact"),
        pytest.param(np.array([-(2.0**53) + 1, 2.0**53 - 1]), id="the widest step"),
        pytest.param(np.array([0.1, 0.2, 0.3]), id="decimals"),
        pytest.param(np.array([1e-7, 2e-7]), id="more decimals than are tried"),
        pytest.param(np.array([-0.000001, 0.999999]), id="six decimals"),
    ],
)
def test_an_odd_column_comes_back(values: NDArray[np.float64]) -> None:
    assert same(values)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50))
@settings(max_examples=1_000, deadline=None)
def test_any_bits_come_back(words: list[int]) -> None:
    assert same(bits(*words))


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=300),
    st.sampled_from([1, 10, 1_000, 10**6]),
)
@settings(max_examples=500, deadline=None)
def test_any_decimals_come_back(wholes: list[int], scale: int) -> None:
    assert same(np.array(wholes, np.float64) / scale)


def test_an_idle_counter_costs_nine_bytes() -> None:
    assert len(encode_column(np.full(5_760, 12_345.0))) == 9


@pytest.mark.parametrize("head", [b"\x02", struct.pack("<BBBBq", 1, 0, 8, 1, 0)])
def test_a_column_never_grows_over_its_count_of_values(head: bytes) -> None:
    bomb = head + zlib.compress(bytes(100_000_000))
    tracemalloc.start()
    with pytest.raises(ValueError, match="longer than 80 bytes"):
        decode_column(bomb, 10)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("count", [0, -1, 1 << 40])
def test_a_damaged_count_of_rows_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="rows; at most"):
        load_blob(encode_blob(np.array([1]), np.ones((1, 1))), 1, count)
