"""Write the JSON Schemas of all file formats into `harness/schemas`: `python scripts/schemas.py`.

They are made from the structures that the files are read into. What is written without one, the rows of `findings.json`, is put together from the types
of what it is written from (`harness.analysis.summary` says which figures are left out or null).
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any, Final, Optional, get_type_hints

import msgspec

# Last, so that the script beside this one is found and no installed package is hidden.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.document import Figures
from harness.analysis import (
    Advice,
    Baseline,
    CellFindings,
    Diff,
    Exchanges,
    Histories,
    InBandFinding,
    Likeness,
    Row,
    Story,
    Telemetry,
    Trouble,
    Verdict,
    Volume,
)
from harness.analysis.summary import AFTERMATH, FIGURES, IDENTITY, ONLY_WHERE_SEEN, SAID_BY_THE_ROW
from harness.cli.profiles import ProfileList
from harness.device.cache import Listing
from harness.diagnosis import Diagnosis
from harness.events import Event, Header
from harness.known import KnownDifferences
from harness.profile import Profile
from harness.recorded import RECORDED, Provenance
from harness.run.conformance import Conformance
from harness.run.health import Health
from harness.runfolder import RunRecord
from harness.scenario import Scenario
from scripts.bugs import Table

FOLDER: Final = Path(__file__).parent.parent / "harness" / "schemas"
Schema = dict[str, Any]
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LIKE_FIGURES: Final = ("first_refusal", "token_use", "lacks", "at_least", "clock_rate", "status", "reason")
_TITLES: Final = {
    "baseline": "what `harness baseline` writes: the behaviour of a run",
    "advice": "what `harness advise --json` prints",
    "benchmarks": "what `python benchmarks/run.py --json FILE` writes",
    "bugs": "results/bugs.toml: defects of SDKs, as the JSON it stands for",
    "cache": "what `harness cache list --json` prints",
    "conformance": "what `harness adapter check --json` prints",
    "diagnosis": "what `harness diagnose --json` prints",
    "diff": "what `harness diff --json` prints",
    "doctor": "what `harness doctor --json` prints",
    "event": "cells/*.jsonl, every line but the first: an event",
    "findings": "findings.json, and what `harness compare --json` and `harness analyse --json` print",
    "header": "cells/*.jsonl, the first line: the header of a cell",
    "history": "what `harness history --json` prints",
    "known-differences": "results/known-differences.toml and files for --known, as the JSON they stand for",
    "profile": "profile.toml, as the JSON it stands for",
    "profiles": "what `harness profiles --json` prints",
    "recording": "the first line of a recorded log: the header of a cell, with its provenance",
    "run": "run.json",
    "scenario": "a scenario, as the JSON it stands for",
    "story": "what `harness explain --json` prints",
}


def kinds() -> dict[str, type]:
    """The structure of each format, by its name; a line of a log is put together from more than one, see `schemas`."""
    return {
        "advice": Advice,
        "baseline": Baseline,
        "benchmarks": Figures,
        "bugs": Table,
        "cache": Listing,
        "conformance": Conformance,
        "diagnosis": Diagnosis,
        "diff": Diff,
        "doctor": Health,
        "findings": _findings(),
        "header": Header,
        "history": Histories,
        "known-differences": KnownDifferences,
        "profile": Profile,
        "profiles": ProfileList,
        "run": RunRecord,
        "scenario": Scenario,
        "story": Story,
    }


def schemas() -> dict[str, str]:
    """The text of each schema's file, by its name."""
    made = {name: _of(kind) for name, kind in kinds().items()} | {"event": _event(), "recording": _recording()}
    return {f"{name}.schema.json": _text(name, made[name]) for name in _TITLES}


def _text(name: str, schema: Schema) -> str:
    head = {"$schema": _DIALECT, "$id": f"urn:iot-credential-expiry-harness:{name}:1", "title": _TITLES[name]}
    return json.dumps(head | schema, indent=1) + "\n"


def _of(kind: type) -> Schema:
    return dict(msgspec.json.schema(kind, schema_hook=_anything))


def _anything(kind: type) -> Schema:
    """`object` is whatever JSON can hold."""
    if kind is object:
        return {"description": "Any value."}  # an empty schema would be taken for none
    raise NotImplementedError


def _event() -> Schema:
    """The envelope; the fields of its kind stand beside it, and unknown ones are kept."""
    hints = get_type_hints(Event)
    return _of(msgspec.defstruct("Event", [(name, hints[name]) for name in ("seq", "t", "src", "kind")]))


def _recording() -> Schema:
    schema, origin = _of(Header), _of(Provenance)
    schema["$defs"] |= origin.pop("$defs")
    sealed = {
        "type": "object",
        "properties": {"kind": {"const": RECORDED}, "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}},
        "required": ["kind", "digest", "clock"],
    }
    return {
        "$defs": schema["$defs"],
        "allOf": [
            {"$ref": schema["$ref"]},
            {"type": "object", "properties": {"origin": {"allOf": [origin, sealed]}}, "required": ["origin"]},
        ],
    }


def _findings() -> type:
    """What `harness.analysis.summary` makes: what `IDENTITY` names is there, a figure may be null, the rest is there where it says so."""
    hints = get_type_hints(Row)
    always = {name: hints[name] for name in IDENTITY} | {"origin": str, "origin_details": Mapping[str, object]}
    always |= {name: Optional[hints[name]] for name in FIGURES}  # noqa: UP045 - the type is a value here
    always |= {"verdicts": tuple[Verdict, ...], "cells": _many(_cell())}
    sometimes = {name: Optional[hints.get(name, tuple[str, ...])] for name in (*AFTERMATH, *_LIKE_FIGURES)}  # noqa: UP045 - the same
    row = _struct("FindingsRow", always, sometimes)
    per_day = _struct("ErrorsPerDay", {"volumes": tuple[Volume, ...], "sentences": tuple[str, ...]})
    return _struct(
        "Findings",
        {"schema": int, "rows": _many(row), "errors_per_day": per_day},
        {"errors": tuple[Trouble, ...], "fidelity": tuple[Likeness, ...], "check": _check()},
    )


def _cell() -> type:
    """A cell without what its row says already; counts that its log does not tell are null."""
    hints = get_type_hints(CellFindings)
    left = {name: kind for name, kind in hints.items() if name not in SAID_BY_THE_ROW and not _is_of_the_class(kind)}
    counts = {name: Optional[kind] for name, kind in get_type_hints(Telemetry).items() if name != "untold"}  # noqa: UP045 - the same
    exchanges = dict.fromkeys(("c2d", "methods", "gap_c2d", "gap_methods"), Exchanges)
    asked = dict.fromkeys(("renewal_c2d", "renewal_methods"), Exchanges)
    told = {"telemetry": _struct("MessageCounts", counts), **exchanges}
    left |= {"messages": _struct("CellMessages", told, asked), "in_band": tuple[InBandFinding, ...]}
    seldom = ONLY_WHERE_SEEN | {"aftermath"}
    always = {name: kind for name, kind in left.items() if name not in seldom}
    return _struct("FindingsCell", always, {name: left[name] for name in left if name in seldom})


def _check() -> type:
    """What `harness.analysis.check.check_summary` makes."""
    text = dict.fromkeys(("sdk", "version", "transport", "scenario", "device", "origin"), str)
    entry = dict.fromkeys(("entry", "reason", "link"), str)
    verdict = _struct("CheckedVerdict", text | dict.fromkeys(("claim", "claimed", "observed"), str), entry)
    absent = _struct("RequiredCell", {"required": str, "reason": str}, text)
    lists = dict.fromkeys(("unlisted", "stale", "known"), _many(verdict))
    return _struct(
        "CheckFindings",
        {"passed": bool, "measured": bool, **lists, "missing": _many(absent), "not_shown": tuple[str, ...]},
    )


def _is_of_the_class(kind: object) -> bool:
    return "ClassVar" in str(kind)


def _many(kind: type) -> Any:
    """The type of a list of `kind`, which is known here only."""
    return GenericAlias(tuple, (kind, ...))


def _struct(name: str, always: Mapping[str, Any], sometimes: Mapping[str, Any] | None = None) -> type:
    """A structure with fields that are always there and fields that may be absent."""
    absent = [(field, kind | msgspec.UnsetType, msgspec.UNSET) for field, kind in (sometimes or {}).items()]
    return msgspec.defstruct(name, [*always.items(), *absent], kw_only=True)


def stale(folder: Path = FOLDER) -> list[str]:
    """The files that are not as they would be written."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return [name for name, text in schemas().items() if present.get(name) != text]


def main(folder: Path = FOLDER) -> int:
    """Write them; the exit code."""
    folder.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
