"""`harness compare`: plan, run, analyse, print."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import click
import msgspec

from harness.cli.options import (
    comma_list,
    complete_sdks,
    errors_option,
    load_profiles,
    profiles_option,
    scenario_option,
    scenarios_named,
    sdk_list,
    transport_list,
    transport_option,
)
from harness.cli.outputs import Outputs, outputs_options
from harness.cli.running import Wish, measure
from harness.fault_words import CloseMode
from harness.plan import DeviceChoice, Overrides, Request, choose, parse_margin
from harness.scenario import Scenario, check_scenario

__all__ = ["compare"]


@click.command(
    epilog="Exit codes: 0 measured, whatever the verdicts; 1 only with --check: it found something; 2 usage, input, or results that cannot be written; 3 a fault of the harness or of a device program in any"
    " cell, the others finished; 130 interrupted, what was measured is kept."
)
@click.option(
    "--sdk",
    "sdks",
    metavar="SDK[@VERSION[,VERSION…]]",
    multiple=True,
    shell_complete=complete_sdks,
    help="Only these SDKs. Repeatable, takes comma lists: after SDK@VERSION, what begins with a digit is a further version of that SDK,"
    " as in node,python@2.9.0,2.14.0.",
)
@transport_option
@scenario_option("Only these scenarios, these groups of them, or a document of your own.")
@click.option(
    "--device",
    type=click.Choice(["auto", "real", "emulated", "both"]),
    default="auto",
    show_default=True,
    help="Which devices to run; both: the real ones, and the emulated ones beside them, with what differs.",
)
@click.option(
    "--lifetime",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Token lifetime in seconds, for every SDK.",
)
@click.option(
    "--margin", metavar="S|P%", help="Renewal margin, in seconds or in percent of the lifetime, for every SDK."
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds the hub keeps a connection whose token has expired.",
)
@click.option(
    "--skew",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds the hub still accepts an expired token; half the grace.",
)
@click.option(
    "--close",
    type=click.Choice(get_args(CloseMode)),
    help="How the hub ends an expired connection: fin over MQTT and detach over AMQP; detach, detach-not-closed and close are AMQP's alone.",
)
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=1, show_default=True, metavar="N", help="Run every cell N times."
)
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Cells at a time.")
@click.option("--seed", type=int, default=None, metavar="N", help="Seed of what emulated devices draw by chance.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the run's folder goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON instead of tables.")
@errors_option
@outputs_options
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@profiles_option
def compare(  # noqa: PLR0913, PLR0917 - one parameter per option
    sdks: Sequence[str],
    transports: Sequence[str],
    scenarios: Sequence[str],
    device: DeviceChoice,
    lifetime: float | None,
    margin: str | None,
    grace: float | None,
    skew: float | None,
    close: str | None,
    repeat: int,
    jobs: int | None,
    seed: int | None,
    out: Path | None,
    profile_folders: Sequence[Path],
    *,
    outputs: Outputs,
    as_json: bool,
    errors: bool,
    quiet: bool,
) -> int:
    """Run SDKs side by side and print how each one behaves when its token is renewed and when it expires."""
    loaded = load_profiles(profile_folders)
    over = transport_list(transports)
    wanted = sdk_list(sdks)
    named = scenarios_named(comma_list(scenarios, "--scenario"), over, choose(loaded, wanted))
    chosen = [_with_hub(scenario, grace, skew, close) for scenario in named]
    publisher = outputs.publisher(loaded, chosen)
    overrides = Overrides(lifetime_s=lifetime)
    request = Request(
        sdks=wanted,
        transports=over,
        device=device,
        overrides=parse_margin(margin, overrides) if margin else overrides,
        repeat=repeat,
    )
    as_they_are = not request.overrides and all(one is None for one in (grace, skew, close))
    wish = Wish(
        loaded, chosen, request, jobs=jobs, seed=seed, out=out, quiet=quiet,
        recordings=as_they_are and device != "emulated",
    )  # fmt: skip
    return measure(wish, partial(publisher.publish, as_json=as_json, errors=errors))


def _with_hub(scenario: Scenario, grace: float | None, skew: float | None, close: str | None) -> Scenario:
    changes = {
        name: value for name, value in (("grace_s", grace), ("skew_s", skew), ("close", close)) if value is not None
    }
    hub = msgspec.structs.replace(scenario.hub, **changes)
    changed = msgspec.structs.replace(scenario, hub=hub, closes_otherwise=hub.close != scenario.hub.close)
    check_scenario(
        changed, f"scenario {scenario.id} with --grace/--skew/--close" if changes else f"scenario {scenario.id}"
    )
    return changed
