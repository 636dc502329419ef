"""What a command compares: runs, recordings and baselines, each by what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.analysis import Baseline, baseline
from harness.analysis.behaviour import KIND, SCHEMA
from harness.cli.results import Results, derive_either, facts_of, tell_what_is_missing
from harness.errors import LogError
from harness.runfolder import check_distinct

__all__ = ["Run", "load_run", "load_runs", "run_of"]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run shows; `results` are those it was drawn from, or null for a baseline."""

    baseline: Baseline
    results: Results | None = None

    @property
    def refused(self) -> bool:
        """Whether a log could not be read."""
        return self.results is not None and bool(self.results.problems or self.results.refused)

    def tell_what_is_missing(self) -> None:
        """Say so on standard error."""
        if self.results is not None:
            tell_what_is_missing(self.results)


def run_of(results: Results) -> Run:
    """The run that these results are of."""
    return Run(baseline(results.rows, facts_of(results.record)), results)


def load_runs(paths: Sequence[Path]) -> list[Run]:
    """Each as `load_run` reads it.

    Raises:
        UserInputError: one is named twice.
    """
    check_distinct(paths)
    return [load_run(path) for path in paths]


def load_run(path: Path) -> Run:
    """A run's folder, recorded logs or a folder of them, or a baseline.

    Raises:
        LogError: it is none of these.
    """
    if path.is_file() and path.suffix != ".jsonl":
        return Run(_read_baseline(path))
    return run_of(derive_either(path))


class _Stated(msgspec.Struct):
    """What tells a baseline from other JSON, whatever else is in it."""

    kind: object = None
    schema: object = None


def _read_baseline(path: Path) -> Baseline:
    where, again = str(path), "Write it again with `harness baseline RUN --out FILE`"
    try:
        content = path.read_bytes()
        _check(msgspec.json.decode(content, type=_Stated), where)
        return msgspec.json.decode(content, type=Baseline)
    except OSError as problem:
        raise LogError(f"cannot be read ({problem.strerror})", where=where, remedy="Check its permissions") from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise LogError(f"is damaged, or no baseline ({problem})", where=where, remedy=again) from problem


def _check(stated: _Stated, where: str) -> None:
    """Refuse what is no baseline, or a newer one, before anything else in it is taken for a mistake."""
    if stated.kind != KIND:
        remedy = "Name a run's folder, or a file that `harness baseline` wrote"
        raise LogError("is no baseline", where=where, field="kind", remedy=remedy)
    if isinstance(stated.schema, int) and stated.schema > SCHEMA:
        problem = f"is {stated.schema}, this harness reads up to {SCHEMA}"
        raise LogError(problem, where=where, field="schema", remedy="Use a newer harness")
