"""Make a run the published one: `python scripts/publish.py RUN`; without RUN, derive everything again from the published logs.

The run's logs are copied to `results/published/reference`, with the recordings that stood beside them; its findings and tables, the table of renewals in the
README, and what is read by people who run nothing, `results/published/README.md` and `index.html`, are made from them. What the dossier of defects shows
besides comes from a run of its own, of which only the logs that show something are kept: `scripts/bugs.py` says how.
"""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.analysis import programs
from harness.cli.page import lasting_page
from harness.cli.results import Results, derive, facts_of, keep
from harness.report.comparison import comparison
from harness.report.published import Publication, published_page
from harness.runfolder import RunRecord

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "results" / "published" / "reference"
README = ROOT / "README.md"
MARKED = re.compile(r"(?<=<!-- table:published -->\n).*?(?=<!-- /table -->)", re.DOTALL)


def readme_block(results: Results) -> str:
    """The table of renewals as the README shows it, with what it was made from."""
    record = results.record
    renewals = [row for row in results.rows if row.scenario == "renewal"]
    where = f"{record.machine['system']}, Python {record.machine['python']}"
    heading = f"Measured on {record.started[:10]}, {where}; logs, and the tables of all scenarios: [results/published/reference](results/published/reference)."
    return f"\n{heading}\n\n{comparison(renewals, 'markdown', brief=True)}\n\n"


def pages(run: Path) -> dict[str, str]:
    """What stands beside the folder `run` for its readers, by the names of the files; the rows say when they were recorded."""
    results = derive(run, dated=True)
    files = {file.stem: file.relative_to(run.parent).as_posix() for file in sorted(run.rglob("*.jsonl"))}
    titles = {str(log.header.scenario.get("id")): str(log.header.scenario.get("title")) for log in results.logs}
    publication = Publication(
        run=facts_of(results.record),
        rows=results.rows,
        programs=programs(results.logs),
        titles=titles,
        files=files,
        command=" ".join(_command(results.record, list(titles))),
    )
    return {"README.md": published_page(publication), "index.html": lasting_page(results, files)}


def _command(record: RunRecord, scenarios: list[str]) -> Iterator[str]:
    """What makes such a run, as far as its record tells."""
    yield f"python3 bootstrap.py compare --scenario {','.join(scenarios)}"
    for option, name in (("sdk", "sdks"), ("transport", "transports")):
        if isinstance(asked := record.request.get(name), list) and asked:
            yield f"--{option} {shlex.quote(','.join(map(str, asked)))}"
    if (device := record.request.get("device", "auto")) != "auto":
        yield f"--device {device}"


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
    for name, text in pages(PUBLISHED).items():
        (PUBLISHED.parent / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    publish(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED)
