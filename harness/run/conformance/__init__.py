"""Whether a device program keeps the adapter protocol (docs/adapter-protocol.md): it is driven through it, and what it did is judged.

```
acts (processes, sockets, time) --Act: everything that was seen, in order--> checks (pure) --> Finding, one per check
```

`dam.py` holds back what the hub says, which is how a program is caught that reports what it does not know.
"""

from harness.run.conformance.acts import examine_program
from harness.run.conformance.checks import findings
from harness.run.conformance.record import Act, Conformance, Finding, State

__all__ = ["Act", "Conformance", "Finding", "State", "examine_program", "findings"]
