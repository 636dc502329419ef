"""The device twin, in memory: desired properties nobody changes, reported ones as the device patches them.

A patch is merged property by property, null removes one (IoT Hub documentation, "Understand and use device twins in IoT Hub"). The
limits are that article's: ten levels and 32 KB of reported properties.
"""

import msgspec

__all__ = ["Twin"]

MAX_DEPTH = 10
MAX_BYTES = 32 * 1024
_VERSION = "$version"


class Twin:
    """One device's twin. Both halves begin with version 1 and nothing else."""

    def __init__(self) -> None:
        self._reported: dict[str, object] = {}
        self._version = 1

    def document(self) -> bytes:
        """What a device that asks for its twin is sent, as JSON."""
        return msgspec.json.encode({"desired": {_VERSION: 1}, "reported": {**self._reported, _VERSION: self._version}})

    def patch(self, body: bytes) -> int | None:
        """Merge a device's patch; the new version of the reported properties, or None if the patch is unacceptable."""
        try:
            merged = _merged(self._reported, msgspec.json.decode(body, type=dict[str, object]), MAX_DEPTH)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if len(msgspec.json.encode(merged)) > MAX_BYTES:
            return None
        self._reported = merged
        self._version += 1
        return self._version


def _merged(old: dict[str, object], patch: dict[str, object], depth: int) -> dict[str, object]:
    """A merged copy. Keys that begin with `$` are the service's own and skipped. Raises `ValueError` if it gets too deep."""
    if not depth:
        raise ValueError("too deep")
    merged = dict(old)
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = _merged(below if isinstance(below, dict) else {}, value, depth - 1)
        else:
            merged[key] = value
    return merged
