"""Speaks a version of the protocol that is not ours."""

import sys

sys.stdout.write('{"event": "hello", "t": 0, "protocol": 2}\n')
sys.stdout.flush()
sys.stdin.readline()
