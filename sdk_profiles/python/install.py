"""Installs one version of the SDK into `venv` in the folder this is run in: `python install.py 2.9.0`.

What the SDK depends on is the newest that it allows, as for whoever installs it today.
"""

import subprocess
import sys
import venv
from pathlib import Path


def main() -> int:
    """Make the environment; the exit code is pip's."""
    folder = Path("venv")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return subprocess.run([*pip, f"azure-iot-device=={sys.argv[1]}"], check=False).returncode  # noqa: S603 - a version of ours


if __name__ == "__main__":
    sys.exit(main())
