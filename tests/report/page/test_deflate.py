"""What packs a page that is kept: everybody can undo it, and it is the same everywhere."""

import hashlib
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.page.deflate import deflate


def inflated(data: bytes) -> bytes:
    """What zlib reads in it."""
    return zlib.decompress(data, -zlib.MAX_WBITS)


@given(st.binary(max_size=600))
def test_bytes_come_back(data: bytes) -> None:
    """Whatever they are."""
    assert inflated(deflate(data)) == data


@given(st.lists(st.sampled_from([b"connect", b"connack ", b"\xff", b"abcabcabc"]), max_size=200))
def test_repetitions_come_back(parts: list[bytes]) -> None:
    """With matches of every length."""
    data = b"".join(parts)
    assert inflated(deflate(data)) == data


@pytest.mark.parametrize("length", [3, 4, 257, 258, 259, 262, 600])
def test_the_longest_match(length: int) -> None:
    """Its length has a symbol of its own."""
    assert inflated(deflate(b"a" * length)) == b"a" * length


@pytest.mark.parametrize("distance", [24_576, 32_768, 32_769, 40_000])
def test_the_farthest_match(distance: int) -> None:
    """What lies farther back is written again."""
    data = b"first" + random.Random(1).randbytes(distance - 5) + b"first"
    assert inflated(deflate(data)) == data


def test_what_is_alike_takes_little_room() -> None:
    """Not much more than zlib needs."""
    lines = b"".join(b'{"t":%d,"src":"hub","kind":"telemetry"}' % number for number in range(2000))
    assert len(deflate(lines)) < 1.7 * len(zlib.compress(lines))


def test_the_bytes_are_always_the_same() -> None:
    """A change of them makes every committed page another one."""
    data = b"".join(b"line %d of many, " % number for number in range(300))
    assert (
        hashlib.sha256(deflate(data)).hexdigest() == "e2cbc18a8209d2468265ff6d15b426936f181da07967c69c34f8e8ecbe53305b"
    )
