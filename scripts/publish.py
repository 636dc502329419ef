"""Make a run the published one: `python scripts/publish.py RUN`; without RUN, derive everything again from the published logs.

The run's logs are copied to `results/published/reference`, with the recordings that stood beside them; its findings and tables, and the table of
renewals in the README, are made from them. What the dossier of defects shows besides comes from a run of its own, of which only the logs that show something are
kept: `scripts/bugs.py` says how.
"""

import re
import shutil
import sys
from pathlib import Path

from harness.cli.results import Results, derive, keep
from harness.report.comparison import comparison

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "results" / "published" / "reference"
README = ROOT / "README.md"
MARKED = re.compile(r"(?<=<!-- table:published -->\n).*?(?=<!-- /table -->)", re.DOTALL)


def readme_block(results: Results) -> str:
    """The table of renewals as the README shows it, with what it was made from."""
    record = results.record
    renewals = [row for row in results.rows if row.scenario == "renewal"]
    where = f"{record.machine['system']}, Python {record.machine['python']}"
    heading = f"Measured on {record.started[:10]}, {where}; logs, and the tables of its scenarios: [results/published](results/published/reference)."
    return f"\n{heading}\n\n{comparison(renewals, 'markdown', brief=True)}\n\n"


def publish(run: Path) -> None:
    """Copy the logs, and derive the rest."""
    derive(run)  # before anything is deleted: it has to be a run
    if run.resolve() != PUBLISHED:
        shutil.rmtree(PUBLISHED, ignore_errors=True)
        PUBLISHED.mkdir(parents=True)
        for part in (one for one in ("cells", "recorded") if (run / one).is_dir()):
            shutil.copytree(run / part, PUBLISHED / part)
        shutil.copy(run / "run.json", PUBLISHED)
    results = derive(PUBLISHED)
    keep(results, PUBLISHED)
    block = readme_block(results)
    README.write_text(MARKED.sub(lambda _: block, README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    publish(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED)
