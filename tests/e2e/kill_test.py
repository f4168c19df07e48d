"""kill_test.py: fifty guests are booked in one go while the daemon is killed ten times.

The seed (STELLWERK_SEED, or made from the commit) decides where; it is printed. In the end the
CLI, SQLite, libvirt, the process table, the disk folder and the bridge's ports hold the same fifty
ids, every guest has printed its own UUID, and no id ever had two processes."""

import concurrent.futures
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import unittest
import uuid

from lab import cell as cells
from lab import machine, processes, waiting
from lab.case import GREETING, TINY_FLAVOR, TINY_IMAGE, make_tiny, make_tiny_image

GUESTS = 50
KILLS = 10
REQUIRED = ("store.commit.before", "store.commit.after", "storage.create-disk.during",
            "hypervisor.define.before", "hypervisor.define.after",
            "hypervisor.resume.before", "hypervisor.resume.after")
OTHERS = ("storage.create-disk.before", "storage.create-disk.after",
          "storage.mark-started.before", "storage.mark-started.after")
# Each life may let a few guests pass before it ends; all lives together must not let all pass.
MOST_PASSAGES = 4
NO_DAEMON = 5  # the CLI's exit code
UUID_LENGTH = 36


def seed():
    given = os.environ.get("STELLWERK_SEED")
    if given:
        return int(given)
    commit = os.environ.get("STELLWERK_COMMIT", "0")
    return int(commit[:8], 16)


def plan_of(source):
    """Ten (failpoint, passage), in the order in which booking comes by them."""
    order = ("store", "storage.create-disk", "storage.mark-started", "hypervisor.define",
             "hypervisor.resume")
    names = list(REQUIRED) + source.choices(OTHERS + REQUIRED, k=KILLS - len(REQUIRED))
    names.sort(key=lambda name: [name.startswith(step) for step in order].index(True))
    return [(name, source.randint(1, MOST_PASSAGES)) for name in names]


class KillTest(unittest.TestCase):
    def setUp(self):
        self.source = random.Random(seed())
        print(f"kill test: STELLWERK_SEED={seed()}", file=sys.stderr)
        self.cell = cells.Cell("killed", {
            # Enough for fifty on any machine that runs the tests: a guest takes some 50 MiB.
            "host": {"memory_mib": 65536, "disk_reserve_mib": 16},
            "placement": {"low_performance_vcpus_per_thread": 64}})
        self.addCleanup(self.cell.stop)
        self.cell.start()
        make_tiny(self.cell, make_tiny_image())
        self.cell.stop()
        self.watcher = processes.Watcher()
        self.watcher.start()
        self.addCleanup(self.watcher.stop)
        self.requests = {f"guest-{number:02}": str(uuid.UUID(int=self.source.getrandbits(128)))
                         for number in range(GUESTS)}
        self.give_up = threading.Event()

    def book(self, name):
        """Asks for one guest, with the same request id until the daemon answers."""
        words = ("instance", "create", name, "--flavor", TINY_FLAVOR, "--image", TINY_IMAGE,
                 "--request-id", self.requests[name])
        while not self.give_up.is_set():
            result = self.cell.run(*words)
            if result.returncode != NO_DAEMON:
                return result
            self.give_up.wait(0.2)
        raise AssertionError(f"{name} was never answered")

    def lose_daemon(self, failpoint, passage):
        """One life of the daemon, ended by itself at the planned place."""
        daemon = self.cell.launch("stellwerkd_failpoints",
                                  {"STELLWERK_FAILPOINTS": f"{failpoint}:{passage}"})
        try:
            code = daemon.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.fail(f"the daemon never came by {failpoint} {passage} times\n"
                      + self.cell.log_tail())
        self.assertEqual(code, -signal.SIGKILL, f"{failpoint}\n{self.cell.log_tail()}")

    def test_fifty_guests_survive_ten_kills_of_the_daemon(self):
        plan = plan_of(self.source)
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
            try:
                answers = [pool.submit(self.book, name) for name in self.requests]
                for failpoint, passage in plan:
                    print(f"  kill -9 at {failpoint}, passage {passage}", file=sys.stderr)
                    self.lose_daemon(failpoint, passage)
                self.cell.start()
                for answer in answers:
                    result = answer.result(timeout=180)
                    self.assertEqual(result.returncode, 0, result.stderr)
            finally:
                self.give_up.set()
        self.everything_runs()
        self.all_hold_the_same_ids()
        self.nothing_ran_twice()

    def everything_runs(self):
        waiting.until(lambda: {item["phase"] for item in self.cell.json("instance", "list")} ==
                      {"PHASE_RUNNING"}, 300, "all guests to run", describe=self.cell.log_tail)

    def all_hold_the_same_ids(self):
        listed = self.cell.json("instance", "list")
        names = sorted(item["name"].rsplit("/", 1)[1] for item in listed)
        self.assertEqual(names, sorted(self.requests))
        uids = sorted(item["uid"] for item in listed)
        self.assertEqual(len(set(uids)), GUESTS)
        prefix = "instance/"
        self.assertEqual([key[len(prefix):] for key in self.cell.stored_keys(prefix)], uids)
        self.assertEqual(machine.domains(), {uid: cells.domain_of(uid) for uid in uids})
        running = processes.qemus()
        self.assertEqual(sorted(running), uids)
        self.assertEqual({len(pids) for pids in running.values()}, {1})
        disks = self.cell.storage.glob("instances/*/disk.qcow2")
        self.assertEqual(sorted(disk.parent.name for disk in disks), uids)
        folders = [folder.name for folder in (self.cell.storage / "instances").iterdir()]
        self.assertEqual(sorted(folders), uids)
        self.assertEqual(machine.bridge_ports("stellwerk0"),
                         sorted(map(cells.interface_of, uids)))
        for item in listed:
            uid = item["uid"]
            console = self.cell.storage / "instances" / uid / "console.log"
            waiting.until(lambda file=console, name=item["name"]: self.has_greeted(file, name), 120,
                          f"the guest {uid} to greet")
            text = machine.console(console)
            said = {part[:UUID_LENGTH] for part in text.split(GREETING)[1:]}
            self.assertEqual(said, {uid})
        addresses = {item["networkInterfaces"][0]["ipAddress"] for item in listed}
        self.assertEqual(len(addresses), GUESTS)

    def has_greeted(self, console, name):
        """What a guest says while there is no daemon is lost: such a one is asked again."""
        if GREETING in machine.console(console):
            return True
        enter = self.cell.directory / "enter"
        enter.write_bytes(b"\r")
        with open(enter, "rb") as typed:
            self.cell.run("instance", "console", name, stdin=typed)
        return False

    def nothing_ran_twice(self):
        """By the samples, and by libvirt's own log of every start."""
        self.watcher.stop()
        print(f"  {self.watcher.samples} looks at the process table", file=sys.stderr)
        self.assertEqual(self.watcher.together, [])
        self.assertEqual(len(self.watcher.lives), GUESTS)
        self.assertEqual({len(lives) for lives in self.watcher.lives.values()}, {1})
        logs = list(pathlib.Path("/var/log/libvirt/qemu").glob("stellwerk-*.log"))
        self.assertEqual(len(logs), GUESTS)
        for log in logs:
            self.assertEqual(log.read_text(errors="replace").count("starting up libvirt"), 1, log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
