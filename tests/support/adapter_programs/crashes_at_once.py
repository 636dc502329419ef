"""Ends before it says hello, as a program does whose SDK is not installed."""

import sys

sys.stderr.write("ModuleNotFoundError: No module named 'sdk'\n")
sys.exit(3)
