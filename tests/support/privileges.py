"""How a test's program loses the right to bind ports below 1024."""

import os
import shutil
import socket
from pathlib import Path

import pytest

SYSCTL = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def need_the_right() -> None:
    """Skip where port 443 may not be bound: the test's program knows of no proxy."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.2", 443))
        except PermissionError:
            pytest.skip("port 443 may not be bound here")
        except OSError:
            pass  # somebody has it, so it may be


def way_without_the_right() -> list[str]:
    """The words to put before a command; skips where that cannot be arranged."""
    if not SYSCTL.is_file() or int(SYSCTL.read_text()) <= 443:
        pytest.skip("everybody may bind port 443 here")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv, which gives the right up, is not installed (apt-get install util-linux)")
    return ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
