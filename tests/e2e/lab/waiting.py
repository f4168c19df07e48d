"""Polling with a deadline: nothing in these tests sleeps for a guessed time."""

import time

PAUSE = 0.05


class TookTooLong(AssertionError):
    """What was awaited did not come before its deadline."""


def until(condition, seconds, what, describe=None):
    """Calls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            more = f"\n{describe()}" if describe else ""
            raise TookTooLong(f"waited {seconds} s for {what}{more}")
        time.sleep(PAUSE)


def alive(pid):
    """True unless the process is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
