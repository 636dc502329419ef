"""What the formats for CI systems ask of a document, written down anew from their published schemas.

JUnit XML: junit-10.xsd of Jenkins' xUnit plug-in, and JUnit.xsd for Apache Ant's reports (Windy Road), which is the stricter one: both have to be met.
CTRF: ctrf.schema.json of ctrf-io/ctrf, as far as we use it; it allows no property that it does not name.
"""

import re
from typing import Any, Final
from xml.etree import ElementTree as ET

import jsonschema

TIMESTAMP: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
NUMBER: Final = r"\d+"
SECONDS: Final = r"\d{1,3}(,?\d{3})*\.\d+"
TOKEN: Final = r"\S+( \S+)*"
SUITE: Final = {
    "name": TOKEN, "tests": NUMBER, "failures": NUMBER, "errors": NUMBER, "skipped": NUMBER, "time": SECONDS,
    "timestamp": TIMESTAMP, "hostname": TOKEN, "id": NUMBER, "package": TOKEN,
}  # fmt: skip
CASE: Final = {"classname": TOKEN, "name": TOKEN, "time": SECONDS}


def check_junit(text: str) -> ET.Element:
    """The document's root, if it is as both schemas ask."""
    root = ET.fromstring(text)  # noqa: S314 - a text of ours
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        _check(suite, "testsuite", SUITE)
        assert suite.get("id") == str(number)
        tags = [child.tag for child in suite]
        assert tags == ["properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"]
        for child in suite[0]:
            _check(child, "property", {"name": TOKEN, "value": "(?s:.*)"})
        cases = suite.findall("testcase")
        for case in cases:
            _check(case, "testcase", CASE)
            assert [child.tag for child in case] in [[], ["failure"], ["error"], ["skipped"]]
            for child in case:
                kind = {} if child.tag == "skipped" else {"type": ".+"}
                _check(child, child.tag, kind | {"message": "(?s:.*)"})
        counted = {"tests": len(cases)} | {
            name: len(suite.findall(f"testcase/{tag}"))
            for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
        }
        assert {name: int(suite.attrib[name]) for name in counted} == counted
    return root


def _check(element: ET.Element, tag: str, attributes: dict[str, str]) -> None:
    assert element.tag == tag
    assert element.attrib.keys() == attributes.keys()
    assert [name for name, form in attributes.items() if not re.fullmatch(form, element.attrib[name])] == []


def _closed(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer"}
_ANY: Final = {"type": "object"}
_COUNTS: Final = ("tests", "passed", "failed", "skipped", "pending", "other", "start", "stop")
CTRF: Final = _closed(
    ("results", "reportFormat", "specVersion"),
    reportFormat={"const": "CTRF"},
    specVersion={"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
    generatedBy=_TEXT,
    results=_closed(
        ("tool", "summary", "tests"),
        tool=_closed(("name",), name={"type": "string", "minLength": 1}, version=_TEXT, extra=_ANY),
        summary=_closed(_COUNTS, **dict.fromkeys((*_COUNTS, "suites", "duration"), _WHOLE)),
        tests={
            "type": "array",
            "items": _closed(
                ("name", "status", "duration"),
                name={"type": "string", "minLength": 1},
                status={"enum": ["passed", "failed", "skipped", "pending", "other"]},
                duration=_WHOLE,
                suite={"type": "array", "minItems": 1, "items": _TEXT},
                message=_TEXT,
                trace=_TEXT,
                rawStatus=_TEXT,
                extra=_ANY,
            ),
        },
        environment=_closed((), extra=_ANY),
    ),
)


def check_ctrf(document: Any) -> None:
    """Whether the document is as the schema asks, and its counts are right."""
    jsonschema.validate(document, CTRF)
    summary, tests = document["results"]["summary"], document["results"]["tests"]
    statuses = [test["status"] for test in tests]
    assert summary["tests"] == len(tests)
    for name in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[name] == statuses.count(name)
    assert summary["start"] <= summary["stop"]
