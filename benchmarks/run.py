"""Measures the emulated hub beside Mosquitto; `--help` explains, docs/benchmarks.md tells how to read the figures."""

import sys
from pathlib import Path

# Last, so that the modules beside this file are found (also under PYTHONSAFEPATH) and no installed package is hidden.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.command import main

if __name__ == "__main__":
    main()
