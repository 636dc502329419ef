"""JUnit XML, as CI systems read it: a suite for each SDK and transport, a case for each row and for each of its claims.

There is no one schema. What is written is valid against that of Jenkins' xUnit plug-in (junit-10.xsd) and that of Apache Ant's reports, which asks for
every attribute and for a fixed order of the elements.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from harness.analysis import Case, RunFacts, Suite
from harness.report.xmltext import xml_text

__all__ = ["junit"]

_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped", "known": "skipped"}
_NO_TIME = "1970-01-01T00:00:00"  # a recording is of no run, and the attribute has to be there


def junit(suites: Sequence[Suite], facts: RunFacts) -> str:
    """The document. A known difference is `skipped`, with its reason: it passes no test, and fails none."""
    root = ET.Element("testsuites")
    for number, suite in enumerate(suites):
        _add_suite(root, suite, facts, number)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_suite(root: ET.Element, suite: Suite, facts: RunFacts, number: int) -> None:
    element = ET.SubElement(root, "testsuite", name=_token(suite.name))
    element.attrib |= {
        "tests": str(len(suite.cases)),
        "failures": str(suite.count("failed")),
        "errors": str(suite.count("error")),
        "skipped": str(suite.count("skipped", "known")),
        "time": _seconds(suite.seconds),
        "timestamp": facts.started.removesuffix("Z") or _NO_TIME,
        "hostname": "localhost",  # the machine's name is nobody's business
        "id": str(number),
        "package": "harness",
    }
    properties = ET.SubElement(element, "properties")
    told = (("run", facts.run), ("harness.version", facts.harness), *(facts.machine.items()), *suite.properties)
    for name, value in told:
        ET.SubElement(properties, "property", name=_token(name), value=xml_text(value))
    for case in suite.cases:
        _add_case(element, case)
    shown = [line for case in suite.cases for line in _output(case)]
    ET.SubElement(element, "system-out").text = xml_text("\n".join(shown))
    ET.SubElement(element, "system-err")


def _add_case(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(
        suite, "testcase", classname=_token(case.group), name=_token(case.name), time=_seconds(case.seconds)
    )
    if tag := _TAGS.get(case.outcome):
        told = ET.SubElement(element, tag, message=xml_text(case.message))
        if tag != "skipped":  # which has no type in Ant's schema
            told.set("type", xml_text(case.verdict))
        told.text = xml_text("\n".join(case.details))


def _output(case: Case) -> list[str]:
    """What a case that came to no element of its own has to tell: a line for each thing, with the name of the case."""
    return [f"{case.group} {case.name}: {line}" for line in case.details] if case.outcome == "passed" else []


def _token(text: str) -> str:
    return " ".join(xml_text(text).split()) or "-"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
