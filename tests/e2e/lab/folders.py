"""Temporary directories that outlive no run for long: each is locked as long as its run lives, and
what a killed run has left is removed by the next one."""

import fcntl
import os
import pathlib
import shutil
import tempfile

LOCK = "lock"


def take_lock(directory):
    """A lock that lives exactly as long as the run, or None if a run still holds it."""
    lock = os.open(directory / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def remove_leftovers(parent, prefix):
    """Removes directories of runs that were killed; running ones hold their lock."""
    for directory in parent.glob(prefix + "*"):
        if not (directory / LOCK).exists() or directory.stat().st_uid != os.geteuid():
            continue
        lock = take_lock(directory)
        if lock is not None:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)


def make(prefix):
    """(directory, its lock)"""
    parent = pathlib.Path(tempfile.gettempdir())
    remove_leftovers(parent, prefix)
    directory = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    return directory, take_lock(directory)
