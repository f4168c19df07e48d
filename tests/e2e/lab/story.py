"""Telling a demonstration: commands are shown as typed, claims as seen or not seen."""

import shlex
import subprocess
import sys
import time

from lab import machine, processes, waiting

BOLD, GREEN, RED, DIM, PLAIN = (
    ("\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 5)


class NotSeen(Exception):
    """A claim of the story that did not hold."""


class Story:
    def __init__(self):
        self.started = time.monotonic()
        self.claims = 0

    def chapter(self, title):
        print(f"\n{BOLD}▸ {title}{PLAIN}  {DIM}{time.monotonic() - self.started:.0f} s{PLAIN}",
              flush=True)

    def show(self, text):
        for line in text.rstrip().splitlines():
            print(f"    {line}", flush=True)

    def typed(self, words):
        print(f"  {DIM}${PLAIN} {shlex.join(map(str, words))}", flush=True)

    def run(self, command, typed=None):
        """Runs a command with its output going where ours goes."""
        self.typed(typed or command)
        self.seen(f"{(typed or command)[0]} succeeds",
                  subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0,
                  quiet=True)

    def read(self, command, typed=None, timeout=60):
        """Runs a command, shows what it says, and returns that."""
        self.typed(typed or command)
        result = subprocess.run(command, check=False, capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=timeout)
        self.show(result.stdout)
        if result.returncode != 0:
            self.show(result.stderr)
            raise NotSeen(f"{shlex.join(map(str, typed or command))} succeeds")
        return result.stdout

    def seen(self, claim, holds, quiet=False):
        if not holds:
            raise NotSeen(claim)
        self.claims += 1
        if not quiet:
            print(f"  {GREEN}✓{PLAIN} {claim}", flush=True)

    def comes(self, claim, condition, seconds):
        """A claim that may take until `seconds` to become true; returns what it became."""
        try:
            value = waiting.until(condition, seconds, claim)
        except waiting.TookTooLong as late:
            raise NotSeen(f"{claim} (waited {seconds} s)") from late
        self.seen(claim, True)
        return value

    def end(self, cell, at_first):
        """Nothing runs any more but what ran `at_first`."""
        self.seen("no domain and no QEMU process at all",
                  not machine.domains() and not processes.qemus())
        cell.stop()
        self.seen("the daemon ends in good order", cell.daemon.returncode == 0)
        # libvirtd may still be about to end what it ran for a moment.
        self.comes("no process is left of all that were started",
                   lambda: processes.living() <= at_first, 10)

    def failed(self, claim):
        print(f"\n  {RED}✗ not seen: {claim}{PLAIN}", flush=True)
