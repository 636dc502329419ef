"""The pure analysis: event log -> timeline -> findings -> rows with verdicts. Reads no clock, opens no file, knows no SDK by name.

```
CellLog --timeline--> Timeline --cells--> CellFindings --rows--> Row (figures, law, verdicts) --summary--> JSON
Row --advise--> Advice (candidates for a developer's needs, ranked, each sentence with its evidence)
Row --check--> Check (what fails it) --cases--> Suite (test cases for CI)
Row --behaviour--> Baseline (what a run shows) --diff, history--> what changed from one to another
```

A log that was cut short, kinds and fields of a newer harness, and cells that never ran are all accepted: they yield what they show.
"""

from harness.analysis.advice import Advice, Candidate, advise
from harness.analysis.answers import Answer, answers, error_codes
from harness.analysis.behaviour import Baseline, Behaviour, Subject, baseline
from harness.analysis.cases import Case, Outcome, RunFacts, Suite, suites
from harness.analysis.cells import analyse_cell
from harness.analysis.check import Check, Judged, Mark, check, check_summary
from harness.analysis.chronicle import Chronicle, chronicles
from harness.analysis.diff import Apart, Compared, Diff, Side, diff
from harness.analysis.excerpt import Excerpt, Extract
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
from harness.analysis.history import Change, Histories, History, Step, histories
from harness.analysis.lacking import device_in_words
from harness.analysis.law import Fit, LawFinding, Observation, describe, describe_short, fit_law, seconds
from harness.analysis.needs import Needs
from harness.analysis.picture import Away, Exchange, Fate, Moment, MomentKind, Picture, Stay, TokenLife
from harness.analysis.programs import Program, programs
from harness.analysis.prospect import Figure
from harness.analysis.required import Missing, Required, parse_required
from harness.analysis.rows import Row, analyse
from harness.analysis.signatures import in_brief
from harness.analysis.story import Line, Story, story
from harness.analysis.summary import summary
from harness.analysis.telling import CellTelling, Episode, tell
from harness.analysis.troublerows import Trouble, troubles
from harness.analysis.verdicts import Claims, Verdict, latest_claims
from harness.analysis.volume import Volume, sentences, volumes

__all__ = [
    "AbsenceFinding",
    "Advice",
    "Aftermath",
    "Answer",
    "Apart",
    "Away",
    "Baseline",
    "Behaviour",
    "Candidate",
    "Case",
    "CellFindings",
    "CellTelling",
    "Change",
    "Check",
    "Chronicle",
    "Claims",
    "Compared",
    "Diff",
    "Episode",
    "Excerpt",
    "Exchange",
    "Exchanges",
    "Extract",
    "Fate",
    "Figure",
    "FirstRefusal",
    "Fit",
    "Histories",
    "History",
    "InBandFinding",
    "Judged",
    "LawFinding",
    "Likeness",
    "Line",
    "Mark",
    "Messages",
    "Missing",
    "Moment",
    "MomentKind",
    "Needs",
    "Observation",
    "Outcome",
    "Picture",
    "Program",
    "RefusedRenewal",
    "Required",
    "Row",
    "RunFacts",
    "Side",
    "Signature",
    "Stay",
    "Step",
    "Story",
    "Subject",
    "Suite",
    "Telemetry",
    "TokenLife",
    "Trouble",
    "Verdict",
    "Volume",
    "advise",
    "analyse",
    "analyse_cell",
    "answers",
    "baseline",
    "check",
    "check_summary",
    "chronicles",
    "describe",
    "describe_short",
    "device_in_words",
    "diff",
    "error_codes",
    "fit_law",
    "histories",
    "in_brief",
    "latest_claims",
    "likenesses",
    "parse_required",
    "programs",
    "seconds",
    "sentences",
    "story",
    "suites",
    "summary",
    "tell",
    "troubles",
    "volumes",
]
