"""The command `harness`, and `python -m harness`, which is the same."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; an interrupt while it is still being imported ends it as one later does."""
    try:
        from harness.cli.main import main as run  # noqa: PLC0415 - importing is what may be interrupted

        run()
    except KeyboardInterrupt:
        sys.stderr.write("harness: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
