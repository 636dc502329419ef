"""How a test's program loses the right to bind ports below 1024."""

import os
import shutil
from pathlib import Path

import pytest

SYSCTL = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def way_without_the_right() -> list[str]:
    """The words to put before a command; skips where that cannot be arranged."""
    if not SYSCTL.is_file() or int(SYSCTL.read_text()) <= 443:
        pytest.skip("everybody may bind port 443 here")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv, which gives the right up, is not installed (apt-get install util-linux)")
    return ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
