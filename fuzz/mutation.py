"""Valid inputs -> inputs that are nearly valid. An input is a list of chunks (frames, packets, segments), read as one stream.

Everything is drawn from the caller's generator, so that an input can be made again. Changes come in two sizes: whole chunks are
dropped, doubled, swapped, taken from another input or from the target's stock; and bytes within one chunk are changed, after
which the chunk's own length field is put right more often than not, since otherwise few inputs would get past it.
"""

from collections.abc import Callable, Sequence
from random import Random

__all__ = ["Mutator", "Seed", "fragments"]

Seed = tuple[bytes, ...]
Draw = Callable[[], float]
"""A number from 0 to 1, 1 excluded."""
Words = Sequence[bytes]
Change = Callable[[bytearray, Draw, Words], None]
"""Changes a chunk that is not empty, in place."""

_ROUNDS = (0, *(1,) * 9, *(2,) * 5, *(3,) * 3, 4, 6)
"""How many changes an input suffers; one in twenty suffers none."""
_CHUNKWISE = 0.4
_REPAIRED = 0.8
_LED = 0.85
_WHOLE, _BY_CHUNK = 0.3, 0.75
_BYTES = (0x00, 0x01, 0x02, 0x0F, 0x10, 0x20, 0x2F, 0x3D, 0x40, 0x45, 0x7F, 0x80, 0xC0, 0xE0, 0xF0, 0xFF)
_EDGES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)
_WIDTHS = (1, 1, 2, 2, 4, 4, 8)
_SHORT, _MANY, _GROWTH = 8, 120, 300


def fragments(chunks: list[bytes], random: Random) -> list[bytes]:
    """A stream as a network might deliver it: whole, chunk by chunk, or in up to six parts, some of them empty."""
    draw = random.random
    chance = draw()
    if _WHOLE < chance < _BY_CHUNK:
        return chunks
    data = b"".join(chunks)
    if chance <= _WHOLE:
        return [data]
    edges = sorted(int(draw() * (len(data) + 1)) for _ in range(1 + int(draw() * 5)))
    return [data[start:end] for start, end in zip([0, *edges], [*edges, len(data)], strict=True)]


class Mutator:
    """Makes the inputs of one target.

    Args:
        seeds: valid inputs, at least one, none of them empty.
        stock: chunks that may stand anywhere in an input of several chunks.
        words: short pieces that mean something to the target.
        repair: puts the length field of a chunk right.
        lead: so many chunks at the beginning, without which nothing else is read, are rarely changed.
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        *,
        stock: Words = (),
        words: Words,
        repair: Callable[[bytes], bytes] | None = None,
        lead: int = 0,
    ) -> None:
        self._seeds, self._words, self._repair, self._lead = seeds, words, repair, lead
        self._stock = stock or [chunk for seed in seeds for chunk in seed]
        self._chunkwise = _CHUNKWISE if any(len(seed) > 1 for seed in seeds) else 0.0

    def make(self, random: Random) -> list[bytes]:
        """The next input."""
        draw = random.random
        chunks = list(self._seed(draw))
        for _ in range(_ROUNDS[int(draw() * len(_ROUNDS))]):
            if draw() < self._chunkwise or not chunks:
                self._rearrange(chunks, draw)
            else:
                self._change(chunks, draw)
        return chunks

    def _seed(self, draw: Draw) -> Seed:
        return self._seeds[int(draw() * len(self._seeds))]

    def _place(self, chunks: list[bytes], draw: Draw) -> int:
        lead = self._lead if self._lead < len(chunks) and draw() < _LED else 0
        return lead + int(draw() * (len(chunks) - lead))

    def _rearrange(self, chunks: list[bytes], draw: Draw) -> None:
        kind, at = int(draw() * 8), self._place(chunks, draw)
        if kind == 0:
            del chunks[at : at + 1]
        elif kind == 1:
            chunks[at:at] = chunks[at : at + 1] * (1 + int(draw() * 3))
        elif kind == 2:  # noqa: PLR2004 - a number of the dice
            chunks[at : at + 2] = reversed(chunks[at : at + 2])
        elif kind == 3:  # noqa: PLR2004 - the same
            other = self._seed(draw)
            chunks[at:] = other[int(draw() * len(other)) :]
        else:
            new = self._stock[int(draw() * len(self._stock))]
            chunks[at : at + (kind & 1)] = [new]

    def _change(self, chunks: list[bytes], draw: Draw) -> None:
        at = self._place(chunks, draw)
        data = bytearray(chunks[at]) or bytearray(1)
        kind = int(draw() * (len(_CHANGES) + 1))
        if kind == len(_CHANGES):
            other = self._stock[int(draw() * len(self._stock))]
            data[int(draw() * len(data)) :] = other[int(draw() * len(other)) :]
        else:
            _CHANGES[kind](data, draw, self._words)
        changed = bytes(data)
        chunks[at] = self._repair(changed) if self._repair is not None and draw() < _REPAIRED else changed


def _flip(data: bytearray, draw: Draw, _words: Words) -> None:
    data[int(draw() * len(data))] ^= 1 << int(draw() * 8)


def _put_byte(data: bytearray, draw: Draw, _words: Words) -> None:
    data[int(draw() * len(data))] = _BYTES[int(draw() * len(_BYTES))]


def _put_any_byte(data: bytearray, draw: Draw, _words: Words) -> None:
    data[int(draw() * len(data))] = int(draw() * 256)


def _nudge(data: bytearray, draw: Draw, _words: Words) -> None:
    at = int(draw() * len(data))
    data[at] = data[at] + int(draw() * 9) - 4 & 0xFF


def _put_number(data: bytearray, draw: Draw, _words: Words) -> None:
    """Sizes and counts are big-endian numbers; so are most numbers that are too large for what follows."""
    at, width = int(draw() * len(data)), _WIDTHS[int(draw() * len(_WIDTHS))]
    number = _EDGES[int(draw() * len(_EDGES))]
    data[at : at + width] = (number & (1 << 8 * width) - 1).to_bytes(width, "big")


def _delete(data: bytearray, draw: Draw, _words: Words) -> None:
    at = int(draw() * len(data))
    del data[at : at + 1 + int(draw() * _SHORT)]


def _insert(data: bytearray, draw: Draw, _words: Words) -> None:
    at = int(draw() * len(data))
    data[at:at] = bytes(int(draw() * 256) for _ in range(1 + int(draw() * _SHORT)))


def _double(data: bytearray, draw: Draw, _words: Words) -> None:
    start, at = int(draw() * len(data)), int(draw() * len(data))
    data[at:at] = data[start : start + 1 + int(draw() * 4 * _SHORT)]


def _put_word(data: bytearray, draw: Draw, words: Words) -> None:
    word, at = words[int(draw() * len(words))], int(draw() * len(data))
    data[at : at + len(word)] = word


def _insert_word(data: bytearray, draw: Draw, words: Words) -> None:
    at = int(draw() * len(data))
    data[at:at] = words[int(draw() * len(words))]


def _nest(data: bytearray, draw: Draw, words: Words) -> None:
    """The beginning of something, again and again."""
    at = int(draw() * len(data))
    data[at:at] = words[int(draw() * len(words))] * (2 + int(draw() * _MANY))


def _cut(data: bytearray, draw: Draw, _words: Words) -> None:
    del data[int(draw() * len(data)) :]


def _grow(data: bytearray, draw: Draw, _words: Words) -> None:
    at = int(draw() * len(data))
    data[at:at] = bytes((int(draw() * 256),)) * (1 + int(draw() * _GROWTH))


_CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _put_byte, _put_byte, _put_any_byte, _nudge, _nudge, _put_number, _put_number, _delete, _insert),
    *(_double, _put_word, _put_word, _insert_word, _nest, _cut, _grow),
)
