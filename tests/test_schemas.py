"""The JSON Schemas of the file formats: committed as the code would write them, true to every committed file, and strict about what is wrong."""

import importlib.util
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import msgspec
import pytest
from support.analysis_logs import early_renewal, stale_token
from support.rows import CONFIRMED, DIFFERS, a_row, not_run

from harness.analysis import RunFacts, baseline, diff, story
from harness.cli.main import main
from harness.events import read_cell_log
from harness.recorded import Provenance, read_log, read_recorded, seal
from harness.run.conformance import Finding
from harness.run.health import Check

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "results" / "published" / "reference"
RECORDED = ROOT / "results" / "recorded"
SCHEMAS = ROOT / "harness" / "schemas"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that writes them."""
    spec = importlib.util.spec_from_file_location("schemas", ROOT / "scripts" / "schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def validator(name: str) -> jsonschema.Draft202012Validator:
    """That of a committed schema."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read_json(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_toml(path: Path) -> Any:
    """A TOML document, as the JSON it stands for."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def first_line(path: Path) -> Any:
    """The header of a log."""
    with path.open("rb") as file:
        return json.loads(next(file))


def call(*arguments: str) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


FILES: dict[str, tuple[Callable[[Path], Any], list[Path]]] = {
    "bugs": (read_toml, [ROOT / "results" / "bugs.toml"]),
    "findings": (read_json, [PUBLISHED / "findings.json", *RECORDED.glob("*/findings.json")]),
    "header": (first_line, [*PUBLISHED.glob("cells/*.jsonl"), *RECORDED.rglob("*.jsonl")]),
    "known-differences": (read_toml, [ROOT / "results" / "known-differences.toml"]),
    "profile": (
        read_toml,
        [*(ROOT / "sdk_profiles").glob("*/profile.toml"), *(ROOT / "examples").glob("*/profile.toml")],
    ),
    "recording": (first_line, [*RECORDED.rglob("*.jsonl"), *(PUBLISHED / "recorded").rglob("*.jsonl")]),
    "run": (read_json, [PUBLISHED / "run.json"]),
    "scenario": (read_toml, [*(ROOT / "harness" / "scenarios").glob("*.toml")]),
}


def test_the_committed_schemas_are_what_the_code_says(script: ModuleType) -> None:
    """Where they are not: `python scripts/schemas.py` writes them again."""
    assert script.stale() == []


def test_the_script_writes_what_is_committed(script: ModuleType, tmp_path: Path) -> None:
    """All of it, by the same names."""
    assert script.main(tmp_path / "schemas") == 0
    assert {path.name for path in (tmp_path / "schemas").iterdir()} <= {path.name for path in SCHEMAS.iterdir()}
    assert script.stale(tmp_path / "schemas") == []
    assert script.stale(tmp_path) == list(script.schemas())


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_committed_file_is_as_its_schema_says(name: str) -> None:
    """Profiles, scenarios, runs, findings, headers, recordings, known differences, defects."""
    read, files = FILES[name]
    assert files
    check = validator(name)
    wrong = [
        f"{path.name}: {problem.json_path}: {problem.message[:200]}"
        for path in files
        for problem in check.iter_errors(read(path))
    ]
    assert wrong == []


def lines() -> Iterator[Any]:
    """Events of every kind that the committed logs have, one of each."""
    seen: set[tuple[str, str]] = set()
    for path in [*PUBLISHED.glob("cells/*.jsonl"), *RECORDED.rglob("*.jsonl")]:
        for line in path.read_bytes().splitlines()[1:]:
            event = msgspec.json.decode(line)
            if (kind := (event["src"], event["kind"])) not in seen:
                seen.add(kind)
                yield event


@pytest.mark.slow
def test_every_kind_of_event_is_as_its_schema_says() -> None:
    """With the fields of its kind beside the envelope."""
    check = validator("event")
    assert [problem.message for event in lines() for problem in check.iter_errors(event)] == []


@pytest.mark.parametrize("log", [early_renewal().log(), stale_token().log()], ids=["renewal", "expiry"])
def test_a_story_is_as_its_schema_says(log: Any) -> None:
    """As `harness explain --json` prints it."""
    told = json.loads(msgspec.json.encode(story(log)))
    assert [problem.message for problem in validator("story").iter_errors(told)] == []


def test_a_baseline_and_a_difference_are_as_their_schemas_say() -> None:
    """Of rows with everything in them: traits, timings, spans, claims, and a row that was not measured."""
    rows = [a_row(CONFIRMED, gap_ms=(5.0,), settings={"lifetime_s": 20.0}), not_run("unsupported", scenario="expiry")]
    old, new = baseline(rows, RunFacts("old")), baseline([a_row(DIFFERS, renewal="none")], RunFacts("new"))
    for name, document in (("baseline", old), ("diff", diff(old, new))):
        written = json.loads(msgspec.json.encode(document))
        assert [problem.message for problem in validator(name).iter_errors(written)] == []


@pytest.mark.slow
def test_what_compare_prints_with_all_its_options_is_as_the_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors and the check stand beside the rows."""
    with pytest.raises(SystemExit):
        main(["analyse", str(PUBLISHED), "--json", "--errors", "--check", "--require", "python,rust"])
    document = json.loads(capsys.readouterr().out)
    assert {"errors", "check"} <= document.keys()
    assert [
        f"{problem.json_path}: {problem.message[:200]}" for problem in validator("findings").iter_errors(document)
    ] == []


READ: dict[str, Callable[[], Any]] = {
    "bugs": lambda: read_toml(ROOT / "results" / "bugs.toml"),
    "header": lambda: first_line(min(PUBLISHED.glob("cells/*.jsonl"))),
    "known-differences": lambda: read_toml(ROOT / "results" / "known-differences.toml"),
    "profile": lambda: read_toml(ROOT / "sdk_profiles" / "python" / "profile.toml"),
    "run": lambda: read_json(PUBLISHED / "run.json"),
    "scenario": lambda: read_toml(ROOT / "harness" / "scenarios" / "renewal.toml"),
}
"""A committed document of each format that is a file."""
OLD, NEW = (str(next(RECORDED.rglob(f"dotnet-*-{name}.jsonl"))) for name in ("mqtt-renewal", "mqtt-renewal-idle"))
PRINTED: dict[str, tuple[str, ...]] = {
    "advice": ("advise", OLD, "--json"),
    "baseline": ("baseline", OLD),
    "cache": ("cache", "list", "--json"),
    "conformance": ("adapter", "check", str(ROOT / "examples" / "paho"), "--json", "--quiet"),
    "diagnosis": ("diagnose", str(PUBLISHED / "diagnostics" / "connections.jsonl"), "--json", "--quiet"),
    "diff": ("diff", OLD, NEW, "--json"),
    "doctor": ("doctor", "--json"),
    "findings": ("analyse", OLD, "--json", "--errors"),
    "history": ("history", OLD, "--json"),
    "profiles": ("profiles", "--json"),
    "story": ("explain", OLD, "--json"),
}
"""A command that prints each of the others."""
ELSEWHERE = {"benchmarks"}
"""`tests/test_benchmarks.py` has what takes a measurement."""


@pytest.mark.parametrize("name", READ)
def test_what_was_read_is_written_as_the_schema_says(script: ModuleType, name: str) -> None:
    """There and back again: nothing is lost, and what is written is valid."""
    kind = script.kinds()[name]
    read = msgspec.convert(READ[name](), kind)
    written = json.loads(msgspec.json.encode(read))
    assert msgspec.convert(written, kind) == read
    assert [problem.message for problem in validator(name).iter_errors(written)] == []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with an environment in its cache, a doctor's finding and a device program's, none of which has to be waited for."""

    async def examined(*_arguments: object, **_options: object) -> list[Any]:
        return [Check("system", "limited", "other", "Linux")]

    async def acted(*_arguments: object, **_options: object) -> list[Any]:
        return []

    (tmp_path / "cache" / "python-2.14.0-0123456789ab").mkdir(parents=True)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("harness.cli.doctor.examine", examined)
    monkeypatch.setattr("harness.cli.adapter._examined", acted)
    monkeypatch.setattr("harness.cli.adapter.findings", lambda _: [Finding("a", "mqtt", "right", "b", "c")])


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_is_as_the_schema_says_and_can_be_read(
    script: ModuleType, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Its structure knows each field of it: written again, it is the same."""
    assert call(*PRINTED[name]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [f"{one.json_path}: {one.message[:200]}" for one in validator(name).iter_errors(document)] == []
    assert json.loads(msgspec.json.encode(msgspec.convert(document, script.kinds()[name]))) == document


def test_every_format_is_read_again(script: ModuleType) -> None:
    """By one of the tests above."""
    assert READ.keys() | PRINTED.keys() | ELSEWHERE == script.kinds().keys()


def test_events_are_written_as_their_schema_says_and_read_again() -> None:
    """Line by line, with the fields of their kinds."""
    log = early_renewal().log()
    lines = [msgspec.json.encode(log.header), *(event.encode() for event in log.events)]
    assert read_cell_log(lines, where="log") == log
    check = validator("event")
    assert [one.message for line in lines[1:] for one in check.iter_errors(json.loads(line))] == []


def test_a_recording_is_sealed_as_its_schema_says_and_read_again() -> None:
    """The header has the provenance as it was given, and a digest."""
    committed = read_recorded(Path(OLD))
    provenance = msgspec.convert(committed.header.origin, Provenance)
    content = seal(committed.header, provenance, committed.events)
    assert read_log(content, where="log") == committed
    assert [one.message for one in validator("recording").iter_errors(json.loads(content.split(b"\n")[0]))] == []


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("profile", {"schema": 2}),
        ("scenario", {"schema": 1, "id": "x", "unknown": True}),
        ("known-differences", {"schema": 1, "differences": [{"claim": "c"}]}),
        ("run", {"format": "1"}),
        ("header", {"format": 1}),
        ("event", {"seq": 0, "t": 0, "src": "moon", "kind": "x"}),
        ("findings", {"schema": 1}),
        ("recording", {"origin": {"kind": "this-run"}}),
        ("bugs", {"defects": [{"id": "x", "predicate": "is-bad"}]}),
        ("story", {}),
        (
            "story",
            {
                "schema": 2,
                "cell": "x",
                "about": [],
                "lines": [],
                "ending": [],
                "complete": True,
                "told": [],
                "episodes": [],
            },
        ),
        ("bugs", {"schema": 2, "defects": []}),
        ("history", {"schema": 2, "histories": []}),
        ("profiles", {"schema": 1, "profiles": [{"schema": 1, "sdk": "x"}]}),
        ("doctor", {"schema": 1, "checks": [{"name": "x", "state": "fine", "found": ""}]}),
        ("cache", {"schema": 1, "folder": "x", "environments": [{"name": "x", "state": "current"}]}),
        ("conformance", {"schema": 1, "sdk": "x", "counts": {"good": 1}, "findings": []}),
        ("benchmarks", {"schema": 1, "rows": []}),
        ("diagnosis", {"schema": 2, "devices": []}),
        ("baseline", {"kind": "behaviour of a run", "schema": 2, "run": "x"}),
        ("diff", {"schema": 1}),
        ("advice", {"schema": 1, "runs": [], "needs": {}, "candidates": [{}], "others": []}),
    ],
)
def test_a_schema_refuses_what_is_wrong(name: str, document: Any) -> None:
    """A schema that took everything would say nothing."""
    assert not validator(name).is_valid(document)


def test_a_schema_is_printed_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """As it is committed; without a name, all names with what each is about; an unknown one is told."""
    assert call("schema", "run") == 0
    assert json.loads(capsys.readouterr().out) == read_json(SCHEMAS / "run.schema.json")
    assert call("schema") == 0
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert listed["run"] == "run.json"
    assert {f"{name}.schema.json" for name in listed} == {path.name for path in SCHEMAS.iterdir()}
    assert call("schema", "runs") == 2
    assert "harness schema: unknown schema 'runs'. Did you mean `run`?" in capsys.readouterr().err
