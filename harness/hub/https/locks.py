"""Cloud-to-device messages that the device received and has not completed yet: each is locked for a minute, then it is in the queue again.

Source: IoT Hub documentation, "Send cloud-to-device messages from IoT Hub", the life cycle: received messages are invisible for the lock
timeout of one minute; abandoned or timed out, they are queued again; what was delivered ten times goes to the dead letters.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final, Literal

from harness.hub.session import MAX_DELIVERIES, C2dMessage, DeviceSession

__all__ = ["LOCK_S", "Locked", "Locks", "Returned"]

LOCK_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Locked:
    """A received message: the token by which the device speaks of it, and until when it may."""

    token: str
    message: C2dMessage
    until: float


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that is not locked any more, and was not completed."""

    message_id: str
    kind: Literal["c2d-returned", "c2d-dropped"]


class Locks:
    """The locked messages of one device, whatever connection its requests come by."""

    def __init__(self, session: DeviceSession) -> None:
        self._session = session
        self._locked: dict[str, Locked] = {}
        self._count = 0

    def expire(self, now: float) -> list[Returned]:
        """Put back what was locked for too long; the first to be locked is the first again."""
        late = [locked for locked in self._locked.values() if locked.until <= now]
        return self._put_back(late)

    def receive(self, now: float) -> Locked | None:
        """The next message, which is locked from now on; None where none waits."""
        message = self._session.take()
        if message is None:
            return None
        self._count += 1
        digest = hashlib.sha256(f"{message.message_id} {self._count}".encode()).hexdigest()
        token = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        locked = self._locked[token] = Locked(token, message, now + LOCK_S)
        return locked

    def settle(self, token: str) -> C2dMessage | None:
        """The message is done with; None where the lock is lost, or never was."""
        locked = self._locked.pop(token, None)
        return None if locked is None else locked.message

    def abandon(self, token: str) -> Returned | None:
        """Put a message back before its time; None where the lock is lost, or never was."""
        locked = self._locked.get(token)
        return None if locked is None else self._put_back([locked])[0]

    def _put_back(self, locked: list[Locked]) -> list[Returned]:
        for one in locked:
            del self._locked[one.token]
        counted = [replace(one.message, deliveries=one.message.deliveries + 1) for one in locked]
        self._session.put_back([one for one in counted if one.deliveries < MAX_DELIVERIES])
        return [
            Returned(one.message_id, "c2d-returned" if one.deliveries < MAX_DELIVERIES else "c2d-dropped")
            for one in counted
        ]
