"""Feeds mutated inputs to everything that reads a peer's bytes; `--help` explains."""

import sys
from pathlib import Path

# Last, so that the modules beside this file are found (also under PYTHONSAFEPATH) and no installed package is hidden.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from fuzz.command import main

if __name__ == "__main__":
    main()
