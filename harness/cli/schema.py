"""`harness schema`: the JSON Schemas of the files that the harness reads and writes."""

import json
from importlib import resources
from importlib.resources.abc import Traversable

import click

from harness.cli.streams import show
from harness.documents import one_of
from harness.errors import UserInputError

__all__ = ["schema"]

SUFFIX = ".schema.json"


def _complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in _schemas() if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=_complete)
def schema(name: str | None) -> int:
    """Print the JSON Schema NAME; without it, the names of all.

    Of a TOML document the schema is that of the JSON it stands for; of a log, that of a single line.
    """
    known = _schemas()
    if name is None:
        width = max(map(len, known), default=0)
        show("\n".join(f"{one:{width}}  {_title(text)}" for one, text in known.items()))
        return 0
    show(known[one_of(name, known, what="schema", where="harness schema", error=UserInputError)].rstrip())
    return 0


def _schemas() -> dict[str, str]:
    """The texts of the schemas that travel in the package, by their names."""
    folder: Traversable = resources.files("harness") / "schemas"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(SUFFIX)), key=lambda one: one.name)
    return {file.name.removesuffix(SUFFIX): file.read_text(encoding="utf-8") for file in files}


def _title(text: str) -> str:
    return str(json.loads(text)["title"])
