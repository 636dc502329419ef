"""Sans-IO protocol machines: bytes and ``now`` in, events and bytes out. No sockets, no clock reads, no policy."""
