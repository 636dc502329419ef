"""DEFLATE (RFC 1951) that gives the same bytes on every machine, for a page that is kept in a repository and compared with what it is made from.

What zlib gives differs from version to version, and between it and what stands in its place on some systems. This is simple instead: one block with the fixed
codes (3.2.6), and at each place the longest of the latest few matches (3.2.5). It packs a quarter worse, and takes about a second for a megabyte.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["deflate"]

Code = tuple[int, int]
"""Bits, the first one lowest, and how many."""
_WINDOW: Final = 32768
_KEY: Final = 4
"""Bytes by which matches are found; shorter ones are seldom worth their distance."""
_LONGEST: Final = 258
_CANDIDATES: Final = 6
_KNOWN: Final = 8
"""Of the places in a match, how many can be found again: all would take twice the time."""
_END_OF_BLOCK: Final = 256
_WORD: Final = 32  # bits that are written at a time


def deflate(data: bytes) -> bytes:
    """`data` as a raw stream, without header and checksum."""
    bits, count = 0b011, 3  # the last block, and it has the fixed codes
    packed = bytearray()
    for value, width in _codes(data):
        bits |= value << count
        count += width
        if count >= _WORD:
            packed += (bits % (1 << _WORD)).to_bytes(_WORD // 8, "little")
            bits >>= _WORD
            count -= _WORD
    return bytes(packed) + bits.to_bytes((count + 7) // 8, "little")


def _codes(data: bytes) -> Iterator[Code]:
    """What the block holds: bytes, matches, and its end."""
    seen: dict[bytes, list[int]] = {}
    at = 0
    while at < len(data):
        length, distance = _match(data, at, seen.get(data[at : at + _KEY], ())[-_CANDIDATES:])
        if length:
            yield _LENGTHS[length]
            yield _distance(distance)
        else:
            yield _LITERALS[data[at]]
        for place in range(at, at + min(max(length, 1), _KNOWN)):
            seen.setdefault(data[place : place + _KEY], []).append(place)
        at += max(length, 1)
    yield _LITERALS[_END_OF_BLOCK]


def _match(data: bytes, at: int, places: Sequence[int]) -> tuple[int, int]:
    """How long the longest match at `at` is, and how far back; of two alike the nearer one. `(0, 0)` without one."""
    length = distance = 0
    for place in reversed(places):
        if at - place > _WINDOW:
            break
        if data[place : place + length + 1] == data[at : at + length + 1]:
            found = _alike(data, place, at)
            if found > max(length, _KEY - 1):
                length, distance = found, at - place
    return length, distance


def _alike(data: bytes, first: int, second: int) -> int:
    """For how many bytes, 258 at most, the data is the same from both places on."""
    low, high = 0, min(_LONGEST, len(data) - second)
    while low < high:
        middle = (low + high + 1) // 2
        if data[first + low : first + middle] == data[second + low : second + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _reversed(value: int, width: int) -> int:
    """Huffman codes stand with their highest bit first (3.1.1)."""
    return int(f"{value:0{width}b}"[::-1], 2)


def _literal(symbol: int) -> Code:
    """The fixed code of a byte, of a length, or of the end (3.2.6)."""
    for first, base, width in ((280, 0b11000000, 8), (256, 0, 7), (144, 0b110010000, 9), (0, 0b00110000, 8)):
        if symbol >= first:
            return _reversed(base + symbol - first, width), width
    raise AssertionError(symbol)


def _steps(count: int, group: int, least: int) -> list[tuple[int, int]]:
    """From where on each symbol stands, and for how many further bits: none for the first 2 x `group` symbols, then one more for each `group` (3.2.5)."""
    steps = []
    for symbol in range(count):
        further = max(symbol // group - 1, 0)
        steps.append((least, further))
        least += 1 << further
    return steps


def _lengths() -> dict[int, Code]:
    """The code of each length, its further bits behind it; the longest has a symbol of its own."""
    codes: dict[int, Code] = {}
    for symbol, (least, further) in enumerate(_steps(28, 4, 3), 257):
        code, width = _literal(symbol)
        codes |= {least + more: (code | more << width, width + further) for more in range(1 << further)}
    return codes | {_LONGEST: _literal(285)}


_LITERALS: Final = [_literal(symbol) for symbol in range(_END_OF_BLOCK + 1)]
_LENGTHS: Final = _lengths()
_DISTANCES: Final = _steps(30, 2, 1)
_FROM: Final = [least for least, _ in _DISTANCES]


def _distance(distance: int) -> Code:
    """The code of a distance, its further bits behind it."""
    symbol = bisect(_FROM, distance) - 1
    least, further = _DISTANCES[symbol]
    return _reversed(symbol, 5) | (distance - least) << 5, 5 + further
