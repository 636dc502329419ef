"""Closing a socket so that the peer sees a reset."""

import asyncio
import socket
import struct

__all__ = ["reset", "reset_socket"]

_NO_LINGER = struct.pack("ii", 1, 0)  # struct linger: on, 0 s


def reset(transport: asyncio.Transport) -> None:
    """Close at once with an RST: what SO_LINGER of zero seconds means to close(2)."""
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def reset_socket(connection: socket.socket) -> None:
    """The same for a socket that has no transport."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    connection.close()
