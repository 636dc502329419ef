"""Reads a picture that a browser took: PNG, eight bits a channel, no interlace (RFC 2083)."""

import struct
import zlib
from collections.abc import Iterator

__all__ = ["colours"]

CHANNELS = {2: 3, 6: 4}


def colours(png: bytes, step: int = 1) -> frozenset[bytes]:
    """The colours of the picture's points, of every `step`-th one in a line."""
    chunks = dict[bytes, bytes]()
    for name, body in _chunks(png):
        chunks[name] = chunks.get(name, b"") + body
    width, height, depth, kind, *_, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, interlace) == (8, 0)
    size = CHANNELS[kind]
    found: set[bytes] = set()
    for line in _lines(zlib.decompress(chunks[b"IDAT"]), width * size, height, size):
        found.update(line[at : at + 3] for at in range(0, width * size, size * step))
    return frozenset(found)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _lines(data: bytes, length: int, height: int, size: int) -> Iterator[bytes]:
    before = bytearray(length)
    for number in range(height):
        start = number * (length + 1)
        line = bytearray(data[start + 1 : start + 1 + length])
        _unfilter(data[start], line, before, size)
        yield bytes(line)
        before = line


def _unfilter(kind: int, line: bytearray, above: bytearray, size: int) -> None:
    """Undo the line's filter, in place: what was written is the difference from what its neighbours predict."""
    if kind == 0:
        return
    for at in range(len(line)):
        left, corner = (line[at - size], above[at - size]) if at >= size else (0, 0)
        predicted = {1: left, 2: above[at], 3: (left + above[at]) // 2}.get(kind)
        line[at] = (line[at] + (_paeth(left, above[at], corner) if predicted is None else predicted)) & 255


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))
