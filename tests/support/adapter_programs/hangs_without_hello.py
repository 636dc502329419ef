"""Never says hello, and does not listen to SIGTERM either."""

import signal
import sys
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stderr.write("waiting\n")
sys.stderr.flush()
time.sleep(600)
