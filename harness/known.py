"""Known differences: what documents claim of an SDK otherwise than it was seen to be, and a check therefore lets pass. Each has its reason and a link.

Those that come with the harness stand in one file, `results/known-differences.toml`; users have their own beside it (`--known FILE`).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import msgspec

from harness.documents import Document, Transport, load, one_of
from harness.errors import UserInputError
from harness.versions import covers, version_problem

__all__ = ["Entry", "KnownDifference", "KnownDifferences", "bundled_known", "check_against", "load_known"]

FILE: Final = "known-differences.toml"
_LINK: Final = re.compile(r"https?://\S+")


class KnownDifference(Document, frozen=True):
    """One difference. `claim`: the id of a claim in the profile of `sdk`; `link`: an address where one can read more.

    `versions`: versions and ranges of them (see `harness.versions`). Where `versions`, `transports`, `scenarios` or `devices` is empty, all are meant.
    """

    claim: str
    sdk: str
    reason: str
    link: str
    versions: tuple[str, ...] = ()
    transports: tuple[Transport, ...] = ()
    scenarios: tuple[str, ...] = ()
    devices: tuple[Literal["real", "emulated", "remote"], ...] = ()


class KnownDifferences(Document, frozen=True):
    """A file of known differences."""

    schema: Literal[1]
    differences: tuple[KnownDifference, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """A known difference, the file it stands in and its number there, from 0."""

    difference: KnownDifference
    where: str
    number: int

    @property
    def name(self) -> str:
        """By which a reader finds it."""
        return f"{self.where}: differences[{self.number}] ({self.difference.sdk} {self.difference.claim})"

    def is_about(self, *, claim: str, sdk: str, version: str, transport: str, scenario: str, device: str) -> bool:
        """Whether it speaks of this claim under these circumstances."""
        known = self.difference
        return (
            (known.claim, known.sdk) == (claim, sdk)
            and (not known.versions or covers(known.versions, version))
            and transport in (known.transports or (transport,))
            and scenario in (known.scenarios or (scenario,))
            and device in (known.devices or (device,))
        )


def bundled_known() -> Path:
    """The file that comes with the harness: inside an installed package, else in the checkout's results."""
    package = Path(str(resources.files("harness")))
    installed = package / FILE
    return installed if installed.is_file() else package.parent / "results" / FILE


def load_known(path: Path) -> tuple[Entry, ...]:
    """The entries of a file.

    Raises:
        UserInputError: names the file, the field and the remedy.
    """
    document = load(path, KnownDifferences, UserInputError)
    entries = tuple(Entry(one, str(path), number) for number, one in enumerate(document.differences))
    for entry in entries:
        _check(entry)
    return entries


def check_against(entries: Iterable[Entry], claims: Mapping[str, Collection[str]], scenarios: Collection[str]) -> None:
    """Refuse an entry that can never speak of anything, and would pass for ever. `claims` has the ids of those made about each SDK, `scenarios` the ids of all there are.

    Raises:
        UserInputError: names the file, the entry, and what was probably meant.
    """
    for entry in entries:
        known = entry.difference
        named = (
            (known.sdk, "SDK", claims),
            (known.claim, f"claim about {known.sdk}", claims.get(known.sdk, ())),
            *((scenario, "scenario", scenarios) for scenario in known.scenarios),
        )
        for name, what, there in named:
            one_of(name, there, what=what, where=entry.name, error=UserInputError)


def _check(entry: Entry) -> None:
    known = entry.difference
    for field in ("claim", "sdk", "reason"):
        if not getattr(known, field).strip():
            raise _wrong(entry, field, "is empty", "Say which claim differs, of which SDK, and why that is accepted")
    if not _LINK.fullmatch(known.link):
        raise _wrong(entry, "link", f"{known.link!r} is no address", "Write where one can read more, as https://…")
    for version in known.versions:
        if problem := version_problem(version):
            remedy = 'Name versions and ranges of them, as ["1.4.0", ">=1.5,<2.0.0rc1"]'
            raise _wrong(entry, "versions", problem, remedy)


def _wrong(entry: Entry, field: str, problem: str, remedy: str) -> UserInputError:
    return UserInputError(problem, where=entry.where, field=f"differences[{entry.number}].{field}", remedy=remedy)
