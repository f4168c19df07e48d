"""The process table: which QEMU processes run, for which machine UUID."""

import os
import threading


def arguments(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def qemu_uuid(pid):
    """The UUID of the machine that this process runs, or None if it is no QEMU.

    Between fork and exec, libvirt's child has libvirt's command line: it is no QEMU yet."""
    words = arguments(pid)
    if not words or not os.path.basename(words[0]).startswith("qemu-system"):
        return None
    for word, value in zip(words, words[1:]):
        if word == "-uuid":
            return value
    return None


def qemus():
    """{uuid: [pid, ...]} of all QEMU processes that one can see."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        uuid = qemu_uuid(int(pid))
        if uuid is not None and not is_zombie(int(pid)):
            found.setdefault(uuid, []).append(int(pid))
    return found


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def start_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[19])


def living():
    """{(pid, start ticks)} of all processes that one can see."""
    found = set()
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if not is_zombie(pid):
                found.add((pid, start_ticks(pid)))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


class Watcher(threading.Thread):
    """Samples the process table until stopped and remembers every QEMU that it ever saw."""

    def __init__(self, pause=0.01):
        super().__init__(daemon=True)
        self.pause = pause
        self.samples = 0
        self.together = []  # (uuid, pids): seen at the same moment
        self.lives = {}     # uuid: {(pid, start ticks)}
        self.known = {}     # (pid, start ticks): uuid or None, so that each is read once
        self.done = threading.Event()

    def look(self):
        present = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            pid = int(name)
            try:
                life = (pid, start_ticks(pid))
            except (FileNotFoundError, ProcessLookupError):
                continue
            # A process becomes QEMU by exec, so only a positive answer is final.
            uuid = self.known.get(life) or qemu_uuid(pid)
            if uuid is None or is_zombie(pid):
                continue
            self.known[life] = uuid
            self.lives.setdefault(uuid, set()).add(life)
            present.setdefault(uuid, []).append(pid)
        self.together += [(uuid, pids) for uuid, pids in present.items() if len(pids) > 1]
        self.samples += 1

    def run(self):
        while not self.done.wait(self.pause):
            self.look()

    def stop(self):
        self.done.set()
        self.join()
