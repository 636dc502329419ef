"""The harness's own errors, by whose fault it is. An SDK's error is data (an event), never one of these.

HarnessError
├── UserInputError             the person at the keyboard: options, paths                exit 2
│   ├── ProfileError           a profile document
│   ├── ScenarioError          a scenario document, or settings that contradict it
│   └── LogError               a run folder or event log that cannot be read
├── AdapterError               a device program broke the adapter protocol, crashed, hung exit 3
├── EnvironmentProblem         this machine: ports, permissions, an absent runtime        the cell's verdict
└── HarnessBug                 ourselves                                                  exit 3

ProtocolError
├── RemoteProtocolError        the peer's bytes break the protocol
└── LocalProtocolError         we asked a protocol machine for something its state forbids
"""

__all__ = [
    "AdapterError",
    "EnvironmentProblem",
    "HarnessBug",
    "HarnessError",
    "LocalProtocolError",
    "LogError",
    "ProfileError",
    "ProtocolError",
    "RemoteProtocolError",
    "ScenarioError",
    "UserInputError",
]


class HarnessError(Exception):
    """Base of everything the harness raises on purpose; the message is one complete sentence for a person."""

    exit_code = 3


class UserInputError(HarnessError):
    """Something the user wrote is wrong; the message names where, which field, and the remedy."""

    exit_code = 2

    def __init__(self, problem: str, *, where: str = "", field: str = "", remedy: str = "") -> None:
        self.problem, self.where, self.field, self.remedy = problem, where, field, remedy
        place = ": ".join(part for part in (where, field) if part)
        message = f"{place}: {problem}" if place else problem
        super().__init__(f"{message}. {remedy}" if remedy else message)


class ProfileError(UserInputError):
    """A profile document cannot be used."""


class ScenarioError(UserInputError):
    """A scenario document cannot be used, or settings contradict it."""


class LogError(UserInputError):
    """A run folder or an event log cannot be read."""


class AdapterError(HarnessError):
    """A device program broke the adapter protocol, crashed or hung; costs its own cell only."""


class EnvironmentProblem(HarnessError):  # noqa: N818 - a verdict of the cell, not a failure of the program
    """This machine cannot run the cell; the message says what is missing and what brings it."""


class HarnessBug(HarnessError):  # noqa: N818 - names the culprit
    """The harness contradicts itself; please report it."""


class ProtocolError(Exception):
    """Base of the protocol machines' errors; never raised itself."""


class RemoteProtocolError(ProtocolError):
    """The peer's bytes break the protocol; the connection cannot be used any further."""


class LocalProtocolError(ProtocolError):
    """The caller asked a protocol machine for something its state forbids: a defect on our side."""
