"""Small profiles and cells for tests of the rooms that run them."""

from pathlib import Path
from typing import Any

import msgspec
from support.scenarios import bundled_scenarios

from harness.emulation import Emulation
from harness.law import Law
from harness.plan import Cell
from harness.profile import AdapterProgram, LoadedProfile, Profile, Settings
from harness.scenario import Scenario

__all__ = ["a_cell", "a_profile", "a_scenario", "program"]

BAD_PROGRAMS = Path(__file__).parent / "adapter_programs"


def program(*command: str, transports: tuple[str, ...] = ("mqtt", "mqtt-ws"), **changes: Any) -> AdapterProgram:
    """A device program started by `command`."""
    return AdapterProgram(command=command, runtime="python", transports=transports, **changes)  # type: ignore[arg-type]


def a_profile(
    sdk: str = "one", *, adapter: AdapterProgram | None = None, folder: Path = BAD_PROGRAMS, **changes: Any
) -> LoadedProfile:
    """A profile whose emulated device renews at half of a token's life."""
    emulation = Emulation(
        user_agent="one/1.0",
        api_version="2021-04-12",
        keep_alive_s=60,
        default_lifetime_s=3600,
        renewal=Law(law="fraction", fraction=0.5),
        takes_tokens=True,
    )
    fields: dict[str, Any] = {
        "transports": ("mqtt", "mqtt-ws"),
        "settings": (Settings(lifetime_s=4.0),),
        "emulation": emulation,
        **changes,
    }
    return LoadedProfile(
        Profile(schema=1, sdk=sdk, name=f"SDK {sdk}", language="X", version="1.0", adapter=adapter, **fields), folder
    )


def a_scenario(name: str = "renewal", **changes: Any) -> Scenario:
    """A bundled scenario with changes."""
    return msgspec.structs.replace(bundled_scenarios()[name], **changes)


def a_cell(loaded: LoadedProfile | None = None, scenario: Scenario | None = None, **changes: Any) -> Cell:
    """A cell of an emulated device, or of a real one where the profile has a program."""
    loaded = loaded or a_profile()
    fields: dict[str, Any] = {
        "id": "one-1.0-mqtt-renewal-1",
        "transport": "mqtt",
        "settings": loaded.profile.settings[0],
        "settings_index": 0,
        "repeat": 1,
        "device": "real" if loaded.profile.adapter else "emulated",
        "expected_s": 10.0,
        "limit_s": 20.0,
        **changes,
    }
    return Cell(profile=loaded, scenario=scenario or a_scenario(), **fields)
