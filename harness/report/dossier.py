"""The dossier of defects as Markdown."""

from collections.abc import Sequence

from harness.analysis.dossier import Entry, Witness
from harness.report.layout import render

__all__ = ["dossier_page"]

_INTRODUCTION = """# Defects

Each entry was found in the logs of the real, unmodified SDKs in [published](published) and [recorded](recorded). The page is made from
[bugs.toml](bugs.toml), which names for each what a log has to show, by `python scripts/bugs.py`; that fails where a log no longer shows it. Times are seconds
since the cell began. What an SDK's versions before or after those named do, nobody has looked at here."""


def dossier_page(entries: Sequence[Entry]) -> str:
    """The whole page: a table of all entries, then each by itself."""
    body = [[_link(one), _versions(one), ", ".join(one.transports), one.witnesses[0].figure] for one in entries]
    table = render(["defect", "SDK", "transports", "seen"], body, "markdown")
    return "\n\n".join([_INTRODUCTION, table, *map(_entry, entries)]) + "\n"


def _link(entry: Entry) -> str:
    return f"[{entry.defect.title}](#{entry.defect.id})"


def _versions(entry: Entry) -> str:
    return f"{entry.defect.sdk} {', '.join(entry.versions)}"


def _entry(entry: Entry) -> str:
    defect = entry.defect
    others = f"Also in {', '.join(f'`{name}`' for name in entry.others)}." if entry.others else ""
    built = next((one.built for one in entry.witnesses if one.built), "")
    parts = [
        f'## <a id="{defect.id}"></a>{defect.title}',
        f"{_versions(entry)} over {', '.join(entry.transports)}, in {', '.join(f'`{one}`' for one in entry.scenarios)}.",
        " ".join(defect.text.split()),
        f"Smallest settings that show it: {' '.join(entry.smallest)}",
        f"```sh\n{_how(entry)}\n```",
        *map(_witness, entry.witnesses),
        others,
        f"The SDK was built from: {built}." if built else "",
    ]
    return "\n\n".join(filter(None, parts))


def _how(entry: Entry) -> str:
    absent = "# no bundled scenario brings it about; this tells it from the log"
    return "\n".join([entry.command or absent, entry.shows])


def _witness(witness: Witness) -> str:
    lines = "\n".join(witness.lines)
    return f"`{witness.cell}`, {witness.date}: {witness.figure}.\n\n```text\n{lines}\n```"
