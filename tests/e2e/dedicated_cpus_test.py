"""T and C guests have processors of their own; everybody else keeps off them."""

import os
import pathlib
import unittest

from lab import machine, waiting
from lab.case import CellCase

THREAD = "pinned-thread"
CORE = "pinned-core"


def parse(text):
    """{0, 1, 2, 5} of "0-2,5"."""
    cpus = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def threads_of(pid):
    """What the kernel lets each thread of a process run on: those of vCPUs, and the others."""
    vcpus, others = {}, {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            status = (task / "status").read_text()
        except FileNotFoundError:  # a worker that has just ended
            continue
        allowed = parse(next(line.split()[1] for line in status.splitlines()
                             if line.startswith("Cpus_allowed_list:")))
        if name.startswith("CPU "):
            vcpus[name.split("/")[0]] = allowed
        else:
            others[f"{name} {task.name}"] = allowed
    return vcpus, others


class DedicatedCpus(CellCase):
    configuration = {"network": {"bridge": "cpus0"}}

    @classmethod
    def prepare(cls):
        super().prepare()
        for name, cpu_class in ((THREAD, "dedicated-thread"), (CORE, "dedicated-core")):
            cls.cell.cli("flavor", "create", name, "--vcpus", "1", "--memory", "64MiB",
                         "--class", cpu_class)
        cls.all = sorted(os.sched_getaffinity(0))

    def setUp(self):
        super().setUp()
        self.assertGreaterEqual(len(self.all), 2, "this needs two processors")

    def book_on(self, flavor, name):
        return self.cell.json("instance", "create", name, "--flavor", flavor, "--image", "tiny",
                              "--wait", "--timeout", "90")

    def host(self):
        return self.cell.json("host", "list")[0]

    def where(self, uid):
        pids = self.qemus_of(uid)
        self.assertEqual(len(pids), 1)
        return threads_of(pids[0])

    def expect_on(self, uid, vcpus, others):
        seen_vcpus, seen_others = self.where(uid)
        self.assertEqual(seen_vcpus, {"CPU 0": set(vcpus)})
        self.assertEqual({name: cpus for name, cpus in seen_others.items()
                          if cpus != set(others)}, {})

    def await_on(self, uid, cpus):
        """All threads of a shared guest are moved there."""
        def moved():
            vcpus, others = self.where(uid)
            return all(where == set(cpus) for where in [*vcpus.values(), *others.values()])
        waiting.until(moved, 60, f"{uid} to run on {cpus}",
                      describe=lambda: f"{self.where(uid)}\n{self.cell.log_tail(60)}")

    def test_dedicated_guest_has_its_own_and_shared_ones_go_aside_and_come_back(self):
        for flavor in (THREAD, CORE):
            with self.subTest(flavor):
                early = self.book("early")["uid"]
                self.expect_on(early, self.all, self.all)
                pinned = self.book_on(flavor, "pinned")
                own = pinned["cpuIds"]
                self.assertEqual(pinned["numaNodes"], [0])
                rest = sorted(set(self.all) - set(own))
                self.expect_on(pinned["uid"], own, rest)
                # It runs, so the others had gone before: no waiting here.
                self.expect_on(early, rest, rest)
                late = self.book("late")["uid"]
                self.expect_on(late, rest, rest)
                self.assertEqual(self.host()["dedicatedCpuIds"], own)
                self.assertEqual(self.host()["sharedCpuIds"], rest)
                shown = self.cell.cli("instance", "show", "pinned")
                self.assertIn(f"{own[0]} (NUMA node 0)", shown)
                self.cell.cli("instance", "delete", "pinned", "--wait")
                self.await_on(early, self.all)
                self.await_on(late, self.all)
                self.assertEqual(self.host()["dedicatedCpuIds"], [])
                self.delete_everything()

    def test_last_processor_is_not_given_away(self):
        for number in range(len(self.all) - 1):
            self.cell.cli("instance", "create", f"pinned-{number}", "--flavor", THREAD,
                          "--image", "tiny", "--stopped")
        self.refused("instance", "create", "one-more", "--flavor", THREAD, "--image", "tiny",
                     names=["dedicated-thread", "the largest free is 0"], code=7)
        # The others' share has become smaller, and the last processor is theirs.
        uid = self.book("shared")["uid"]
        shared = self.host()["sharedCpuIds"]
        self.assertEqual(len(shared), 1)
        self.expect_on(uid, shared, shared)

    def test_restarted_daemon_finds_pins_and_puts_right_what_was_changed_meanwhile(self):
        shared = self.book("shared")["uid"]
        pinned = self.book_on(THREAD, "pinned")
        own = pinned["cpuIds"]
        rest = sorted(set(self.all) - set(own))
        before = self.qemus_of(shared) + self.qemus_of(pinned["uid"])
        self.cell.stop()
        machine.virsh("vcpupin", shared, "0", str(own[0]), "--live")
        machine.virsh("emulatorpin", pinned["uid"], str(own[0]), "--live")
        self.cell.start()
        self.await_on(shared, rest)
        waiting.until(lambda: self.where(pinned["uid"])[1].keys() and all(
            cpus == set(rest) for cpus in self.where(pinned["uid"])[1].values()), 60,
            "the emulator to be moved back", describe=self.cell.log_tail)
        self.expect_on(pinned["uid"], own, rest)
        self.assertEqual(self.qemus_of(shared) + self.qemus_of(pinned["uid"]), before)

    def test_domain_of_others_stays_where_it_is(self):
        xml = self.cell.directory / "foreign.xml"
        xml.write_text("<domain type='qemu'><name>foreign</name><memory unit='MiB'>64</memory>"
                       "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>"
                       "<devices><memballoon model='none'/></devices></domain>")
        machine.virsh("create", str(xml))
        self.addCleanup(machine.virsh, "destroy", "foreign")
        uid = machine.virsh("domuuid", "foreign").strip()
        pinned = self.book_on(THREAD, "pinned")
        self.expect_on(pinned["uid"], pinned["cpuIds"],
                       set(self.all) - set(pinned["cpuIds"]))
        vcpus, others = self.where(uid)
        self.assertEqual(set(map(tuple, map(sorted, [*vcpus.values(), *others.values()]))),
                         {tuple(self.all)})

    def test_host_shows_its_topology(self):
        nodes = self.host()["numaNodes"]
        self.assertEqual(sorted(cpu for node in nodes for cpu in node.get("cpuIds", [])), self.all)
        shown = self.cell.cli("host", "show", self.host()["name"].rsplit("/", 1)[1])
        self.assertIn("Dedicated CPUs:", shown)
        self.assertIn("Shared CPUs:", shown)


if __name__ == "__main__":
    unittest.main(verbosity=2)
