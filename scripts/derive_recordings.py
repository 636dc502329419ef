"""Derive findings and tables of every folder of recordings again: `python scripts/derive_recordings.py [FOLDER]`.

Where a claim of a profile changes, or the analysis, what stands beside the recordings changes with it; the recordings themselves never do.
"""

import json
import sys
from pathlib import Path

from harness.analysis import summary
from harness.cli.results import derive_recordings
from harness.recorded import bundled_recordings
from harness.report.comparison import comparison


def derived(folder: Path) -> dict[str, str]:
    """What stands beside the recordings in `folder`, by the file's name."""
    results = derive_recordings(folder)
    if results.refused:
        raise results.refused[0]
    return {
        "findings.json": json.dumps(summary(results.rows), indent=1) + "\n",
        "table.md": comparison(results.rows, "markdown", brief=False) + "\n",
    }


def main(root: Path) -> None:
    """Write it."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for name, text in derived(folder).items():
            (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else bundled_recordings())
