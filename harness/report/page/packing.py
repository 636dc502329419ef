"""What makes one file of the page: data packed so that it takes little room, and the policy by which a browser runs nothing but the page's own script."""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, TypeVar

import msgspec

__all__ = ["batches", "pack", "policy"]

T = TypeVar("T")
_LEVEL: Final = 6


def batches(items: Iterable[T], size: int) -> Iterable[Sequence[T]]:
    """The items, `size` at a time; together they pack better than one by one."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def pack(value: object) -> str:
    """`value` as JSON, deflated (RFC 1951), in base64: letters that mean nothing in HTML. The browser's `DecompressionStream` undoes it."""
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(deflater.compress(msgspec.json.encode(value)) + deflater.flush()).decode()


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy under which this style and this script are all there is; nothing is loaded from anywhere."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
