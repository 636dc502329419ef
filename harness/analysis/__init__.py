"""The pure analysis: event log -> timeline -> findings -> rows with verdicts. Reads no clock, opens no file, knows no SDK by name.

```
CellLog --timeline--> Timeline --cells--> CellFindings --rows--> Row (figures, law, verdicts) --summary--> JSON
```

A log that was cut short, kinds and fields of a newer harness, and cells that never ran are all accepted: they yield what they show.
"""

from harness.analysis.cells import analyse_cell
from harness.analysis.fidelity import Likeness, likenesses
from harness.analysis.findings import (
    AbsenceFinding,
    Aftermath,
    CellFindings,
    Exchanges,
    FirstRefusal,
    InBandFinding,
    Messages,
    RefusedRenewal,
    Signature,
    Telemetry,
)
from harness.analysis.history import Change, History, Step, histories
from harness.analysis.law import Fit, LawFinding, Observation, describe, describe_short, fit_law, seconds
from harness.analysis.rows import Row, analyse
from harness.analysis.signatures import in_brief
from harness.analysis.story import Line, Story, story
from harness.analysis.summary import summary
from harness.analysis.telling import CellTelling, Episode, tell
from harness.analysis.troublerows import Trouble, troubles
from harness.analysis.verdicts import Verdict
from harness.analysis.volume import Volume, sentences, volumes

__all__ = [
    "AbsenceFinding",
    "Aftermath",
    "CellFindings",
    "CellTelling",
    "Change",
    "Episode",
    "Exchanges",
    "FirstRefusal",
    "Fit",
    "History",
    "InBandFinding",
    "LawFinding",
    "Likeness",
    "Line",
    "Messages",
    "Observation",
    "RefusedRenewal",
    "Row",
    "Signature",
    "Step",
    "Story",
    "Telemetry",
    "Trouble",
    "Verdict",
    "Volume",
    "analyse",
    "analyse_cell",
    "describe",
    "describe_short",
    "fit_law",
    "histories",
    "in_brief",
    "likenesses",
    "seconds",
    "sentences",
    "story",
    "summary",
    "tell",
    "troubles",
    "volumes",
]
