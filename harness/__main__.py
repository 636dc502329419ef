"""`python -m harness`: the same as the command `harness`."""

import sys

if __name__ == "__main__":
    try:
        from harness.cli.main import main

        main()
    except KeyboardInterrupt:  # before the command line is there to say it
        sys.stderr.write("harness: interrupted\n")
        sys.exit(130)
