"""What was measured, on what."""

from support.analysis_logs import LogBuilder, header

from harness.analysis.programs import Program, programs


def test_real_sdks_and_their_runtimes_each_once() -> None:
    """By what they said of themselves; an emulated device has none."""
    said = {"sdk_version": "2.5.0", "runtime": "Java 17"}
    logs = [
        LogBuilder(header(cell="a", sdk_name="Z")).app("hello", **said).end().log(),
        LogBuilder(header(cell="b", sdk_name="Z")).app("hello", **said).end().log(),
        LogBuilder(header(cell="c", sdk_name="A", device="emulated")).app("hello", **said).end().log(),
        LogBuilder(header(cell="d", sdk_name="B")).end("environment", "not installed").log(),
    ]
    assert programs(logs) == (Program("Z", "2.5.0", "Java 17"),)
