"""What the agent may touch on its host and what not: foreign domains, orphans, doubles."""

import os
import pathlib
import shutil
import signal
import subprocess
import unittest
import uuid

from lab import machine, waiting
from lab.case import CellCase

FOREIGN = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid>
<memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/>
<source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
<serial type='file'><source path='{disk}.console'/></serial></devices></domain>"""


class ForeignDomains(CellCase):
    def start_foreign(self, name):
        own = str(uuid.uuid4())
        disk = pathlib.Path(os.environ["STELLWERK_LAB"]) / f"{own}.raw"
        shutil.copy(self.tiny_image, disk)
        file = disk.with_suffix(".xml")
        file.write_text(FOREIGN.format(name=name, uuid=own, disk=disk), encoding="utf-8")
        machine.virsh("create", str(file))
        self.addCleanup(self.destroy, own)
        return own

    def destroy(self, own):
        if own in machine.domains():
            machine.virsh("destroy", own)

    def foreign_count(self):
        return int(self.cell.json("host", "list")[0]["foreign"]["domains"])

    def test_domain_of_another_owner_is_counted_and_never_touched(self):
        self.assertEqual(self.foreign_count(), 0)
        own = self.start_foreign("theirs")
        waiting.until(lambda: self.foreign_count() == 1, 60, "the foreign domain to be counted",
                      describe=self.cell.log_tail)
        host = self.cell.json("host", "list")[0]
        self.assertEqual(int(host["foreign"]["vcpus"]), 1)
        self.assertGreaterEqual(int(host["foreign"]["memoryBytes"]), 64 << 20)
        before = (self.qemus_of(own), machine.virsh("dumpxml", own))
        self.book("ours")
        self.cell.cli("instance", "delete", "ours", "--wait")
        self.cell.restart()
        waiting.until(lambda: self.foreign_count() == 1, 60, "the foreign domain to be counted")
        self.assertEqual((self.qemus_of(own), machine.virsh("dumpxml", own)), before)

    def test_domain_that_only_looks_like_ours_is_foreign(self):
        own = self.start_foreign("stellwerk-" + str(uuid.uuid4()))
        waiting.until(lambda: self.foreign_count() == 1, 60, "the look-alike to be counted")
        self.assertEqual(self.cell.json("host", "list")[0]["orphans"], [])
        self.assertEqual(len(self.qemus_of(own)), 1)

    def test_foreign_domain_is_no_longer_counted_when_it_is_gone(self):
        own = self.start_foreign("theirs")
        waiting.until(lambda: self.foreign_count() == 1, 60, "the foreign domain to be counted")
        machine.virsh("destroy", own)
        waiting.until(lambda: self.foreign_count() == 0, 60, "the count to fall")


class Orphans(CellCase):
    def test_domain_of_our_cell_that_nobody_claims_is_reported_and_left_running(self):
        self.cell.stop()
        saved = self.cell.directory / "saved.db"
        shutil.copy(self.cell.database, saved)
        self.cell.start()
        lost = self.book("lost")["uid"]
        before = self.qemus_of(lost)
        self.cell.stop()
        for file in self.cell.state.glob("stellwerk.db*"):
            file.unlink()
        shutil.copy(saved, self.cell.database)
        self.cell.start()
        orphans = waiting.until(lambda: self.cell.json("host", "list")[0]["orphans"], 60,
                                "the orphan to be reported", describe=self.cell.log_tail)
        self.assertEqual([(orphan["uid"], orphan["projectId"], orphan["instanceId"])
                          for orphan in orphans], [(lost, "default", "lost")])
        self.assertEqual(self.cell.json("instance", "list"), [])
        self.book("present")
        self.cell.cli("instance", "delete", "present", "--wait")
        self.assertEqual(self.qemus_of(lost), before)
        self.assertIn(f"instances/{lost}/disk.qcow2", self.cell.instance_files(lost))
        machine.virsh("destroy", lost)
        waiting.until(lambda: not self.cell.json("host", "list")[0]["orphans"], 60,
                      "the report to end")


class Doubles(CellCase):
    def test_instance_is_not_started_while_a_qemu_unknown_to_libvirt_runs_it(self):
        uid = self.book("twice", "--stopped")["uid"]
        with subprocess.Popen(["qemu-system-x86_64", "-uuid", uid, "-S", "-display", "none",
                               "-accel", "tcg", "-m", "64"]) as stray:
            self.addCleanup(stray.kill)
            waiting.until(lambda: self.qemus_of(uid), 20, "the stray QEMU")
            self.cell.cli("instance", "start", "twice")
            waiting.until(lambda: self.cell.instance("twice")["message"], 60,
                          "the host to say why not", describe=self.cell.log_tail)
            self.assertEqual(self.qemus_of(uid), [stray.pid])
            self.assertIn(str(stray.pid), self.cell.instance("twice")["message"])
            stray.send_signal(signal.SIGKILL)
        self.await_phase("twice", "RUNNING", seconds=120)
        self.await_greeting(uid)


if __name__ == "__main__":
    unittest.main(verbosity=2)
