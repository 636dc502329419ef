"""The dossier of defects as Markdown."""

from harness.analysis.defects import Defect
from harness.analysis.dossier import Entry, Witness
from harness.report.dossier import dossier_page

DEFECT = Defect("an-id", "sdk", "A title", "A\ntext.", ("mqtt", "amqp"), "happens")


def an_entry(command: str = "harness compare", *, built: str = "", others: tuple[str, ...] = ()) -> Entry:
    """An entry with one witness."""
    witness = Witness("a-cell", "a.jsonl", "2026-11-25", built, "3 times", ("1.000 s hub cut", "2.000 s app status"))
    return Entry(
        DEFECT,
        ("1.0",),
        DEFECT.transports,
        ("expiry",),
        (witness,),
        others,
        ("It does this.",),
        command,
        "harness explain a",
    )


def test_the_page() -> None:
    """A table, then each entry with its text, settings, commands and lines."""
    page = dossier_page([an_entry(others=("b-cell",))])
    assert "| [A title](#an-id) | sdk 1.0 | mqtt, amqp   | 3 times |" in page
    assert page.endswith(
        """## <a id="an-id"></a>A title

sdk 1.0 over mqtt, amqp, in `expiry`.

A text.

Smallest settings that show it: It does this.

```sh
harness compare
harness explain a
```

`a-cell`, 2026-11-25: 3 times.

```text
1.000 s hub cut
2.000 s app status
```

Also in `b-cell`.
"""
    )


def test_what_no_scenario_brings_about_and_where_an_sdk_comes_from() -> None:
    """Both are said."""
    page = dossier_page([an_entry("", built="source of 1.0")])
    assert "# no bundled scenario brings it about" in page
    assert page.endswith("The SDK was built from: source of 1.0.\n")
