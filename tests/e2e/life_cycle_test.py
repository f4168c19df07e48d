"""One instance's life on real libvirt and QEMU, as its owner and its host see it."""

import re
import pathlib
import os
import signal
import unittest

from lab import cell as cells
from lab import libvirtd, machine, waiting
from lab.case import CellCase


class LifeCycle(CellCase):
    def test_booked_instance_boots_under_qemu_with_its_own_uuid(self):
        instance = self.book("web")
        uid = instance["uid"]
        self.assertEqual(instance["phase"], "PHASE_RUNNING")
        self.assertEqual(len(self.qemus_of(uid)), 1)
        self.assertEqual(machine.domains(), {uid: cells.domain_of(uid)})
        self.assertEqual(machine.bridge_ports("stellwerk0"), [cells.interface_of(uid)])
        self.await_greeting(uid)

    def test_stop_asks_the_guest_and_start_boots_the_same_disk_again(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        stopped = self.cell.json("instance", "stop", "web", "--wait", "--timeout", "50")
        self.assertEqual((stopped["phase"], stopped["desiredState"]), ("PHASE_STOPPED", "STOPPED"))
        self.assertEqual(self.qemus_of(uid), [])
        self.assertIn(f"instances/{uid}/disk.qcow2", self.cell.instance_files(uid))
        started = self.cell.json("instance", "start", "web", "--wait")
        self.assertEqual((started["phase"], started["uid"]), ("PHASE_RUNNING", uid))
        self.assertEqual(started["observedGeneration"], started["generation"])
        self.await_greeting(uid, count=2)

    def test_a_guest_takes_no_more_memory_than_it_is_charged(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        pid = self.qemus_of(uid)[0]
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        pss = int(re.search(r"^Pss: +(\d+) kB$", text, re.MULTILINE)[1]) * 1024
        charged = int(self.cell.json("host", "list")[0]["use"]["memoryBytes"])
        self.assertGreater(charged, 64 << 20)
        self.assertLessEqual(pss, charged)

    def test_log_lines_name_instance_request_and_host(self):
        request = "0d6f2c53-7a3d-4d0c-8a51-3b1d52a6c7e9"
        uid = self.book("web", "--request-id", request)["uid"]
        lines = self.cell.log_text().splitlines()
        self.assertTrue(any(f"request={request}" in line and f"instance={uid}" in line
                            for line in lines))
        self.assertTrue(any("step ended" in line and f"instance={uid}" in line and "host=" in line
                            for line in lines))

    def test_delete_leaves_no_trace_and_frees_the_name(self):
        uid = self.book("web")["uid"]
        self.assertEqual(set(self.traces(uid)), {"domain", "process", "files", "interface", "keys"})
        self.cell.cli("instance", "delete", "web", "--wait")
        self.assertEqual(self.traces(uid), {})
        self.assertEqual(self.cell.json("instance", "list"), [])
        self.assertEqual(self.cell.run("instance", "show", "web").returncode, 3)
        again = self.book("web")
        self.assertNotEqual(again["uid"], uid)

    def test_instance_without_a_network_has_no_port(self):
        instance = self.book("alone", "--no-network")
        self.assertEqual(instance["networkInterfaces"], [])
        self.assertEqual(machine.bridge_ports("stellwerk0"), [])
        self.assertNotIn("<interface", machine.virsh("dumpxml", instance["uid"]))
        self.await_greeting(instance["uid"])

    def test_booked_stopped_reserves_without_running(self):
        instance = self.book("later", "--stopped")
        self.assertEqual(self.qemus_of(instance["uid"]), [])
        host = self.cell.json("host", "list")[0]
        self.assertEqual(int(host["use"]["instances"]), 1)
        self.cell.cli("instance", "start", "later", "--wait")
        self.await_greeting(instance["uid"])

    def test_repeated_request_id_is_carried_out_once(self):
        request = "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a"
        first = self.book("once", "--request-id", request)
        second = self.book("once", "--request-id", request)
        self.assertEqual(first["uid"], second["uid"])
        self.assertEqual(len(self.qemus_of(first["uid"])), 1)
        self.refused("instance", "create", "twice", "--flavor", "tiny", "--image", "tiny",
                     "--request-id", request, names="request id", code=4)
        self.assertEqual(len(self.cell.json("instance", "list")), 1)

    def test_stale_etag_is_refused(self):
        etag = self.book("web")["etag"]
        self.cell.cli("instance", "stop", "web", "--force", "--wait")
        self.refused("instance", "delete", "web", "--etag", etag, names="etag", code=4)
        self.assertEqual(self.cell.instance("web")["desiredState"], "STOPPED")


class EndsOfGuests(CellCase):
    def test_guest_shut_down_from_inside_becomes_desired_stopped_with_an_event(self):
        uid = self.book("quits")["uid"]
        self.await_greeting(uid)
        machine.virsh("send-key", uid, "KEY_Q")
        instance = self.await_phase("quits", "STOPPED")
        self.assertEqual(instance["desiredState"], "STOPPED")
        self.assertEqual(self.qemus_of(uid), [])
        self.assertIn(("InstanceEnded", "ShutDownByGuest"), self.events_of("quits"))

    def test_crashed_qemu_is_started_again(self):
        uid = self.book("falls")["uid"]
        first = self.qemus_of(uid)[0]
        self.await_greeting(uid)
        os.kill(first, signal.SIGKILL)
        waiting.until(lambda: [pid for pid in self.qemus_of(uid) if pid != first], 60,
                      "another QEMU", describe=self.cell.log_tail)
        self.await_phase("falls", "RUNNING")
        self.assertEqual(self.cell.instance("falls")["desiredState"], "RUNNING")

    def test_crashed_qemu_stays_down_if_the_policy_says_never(self):
        uid = self.book("stays", "--restart-policy", "never")["uid"]
        os.kill(self.qemus_of(uid)[0], signal.SIGKILL)
        waiting.until(lambda: ("InstanceEnded", "Crashed") in self.events_of("stays"), 60,
                      "the crash to be told", describe=self.cell.log_tail)
        self.assertEqual(self.cell.instance("stays")["desiredState"], "STOPPED")
        other = self.book("other")["uid"]
        os.kill(self.qemus_of(other)[0], signal.SIGKILL)
        # By the time that the other one is up again, this one had its chance.
        waiting.until(lambda: self.qemus_of(other), 60, "the other guest to be restarted")
        self.assertEqual(self.qemus_of(uid), [])


    def test_lost_disk_is_told_and_not_replaced_by_a_fresh_one(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        self.cell.cli("instance", "stop", "web", "--force", "--wait")
        folder = self.cell.storage / "instances" / uid
        aside = self.cell.directory / "aside"
        folder.rename(aside)
        self.cell.cli("instance", "start", "web")
        waiting.until(lambda: self.cell.instance("web")["reason"] == "DiskMissing", 60,
                      "the lost disk to be told", describe=self.cell.log_tail)
        self.assertFalse(folder.exists())
        aside.rename(folder)
        self.await_phase("web", "RUNNING")
        self.await_greeting(uid, count=2)


class Restarts(CellCase):
    def test_daemon_does_not_begin_with_an_empty_storage(self):
        uid = self.book("web")["uid"]
        self.cell.stop()
        aside = self.cell.directory / "unmounted"
        self.cell.storage.rename(aside)
        self.addCleanup(lambda: aside.exists() and aside.rename(self.cell.storage))
        self.assertEqual(self.cell.launch().wait(timeout=60), 1)
        self.assertIn("is the disk mounted", self.cell.log_tail())
        self.assertFalse(self.cell.storage.exists())
        aside.rename(self.cell.storage)
        self.cell.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(len(self.qemus_of(uid)), 1)

    def test_daemon_killed_and_started_leaves_the_guest_alone_and_manages_it(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        before = self.qemus_of(uid)
        self.cell.kill()
        self.assertEqual(self.qemus_of(uid), before)
        self.cell.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(self.qemus_of(uid), before)
        self.assertEqual(self.greetings(uid), 1)
        self.cell.cli("instance", "stop", "web", "--wait", "--timeout", "50")
        self.assertEqual(self.qemus_of(uid), [])

    def test_daemon_stopped_in_good_order_leaves_the_guest_alone(self):
        uid = self.book("web")["uid"]
        before = self.qemus_of(uid)
        self.cell.stop()
        self.assertEqual(self.cell.daemon.returncode, 0, self.cell.log_tail())
        self.assertEqual(self.qemus_of(uid), before)
        self.cell.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(self.qemus_of(uid), before)

    def test_daemon_comes_back_to_libvirt_after_libvirtd_was_killed(self):
        uid = self.book("web")["uid"]
        before = self.qemus_of(uid)
        libvirtd.kill()
        self.assertEqual(self.qemus_of(uid), before)
        libvirtd.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(self.qemus_of(uid), before)
        second = self.book("second")
        self.await_greeting(second["uid"])

    def test_unreachable_libvirt_is_unknown_and_not_stopped(self):
        uid = self.book("web")["uid"]
        before = self.qemus_of(uid)
        libvirtd.kill()
        try:
            self.await_phase("web", "UNKNOWN")
            self.assertEqual(self.cell.instance("web")["desiredState"], "RUNNING")
        finally:
            libvirtd.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(self.qemus_of(uid), before)

    def test_guest_that_ended_while_the_daemon_was_down_is_started_again(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        self.cell.kill()
        machine.virsh("send-key", uid, "KEY_Q")
        # libvirt tells of the end after the process has gone; nobody must be there to hear it.
        waiting.until(lambda: uid not in machine.virsh("list", "--uuid"), 20, "the guest to end")
        self.assertEqual(self.qemus_of(uid), [])
        greeted = self.greetings(uid)
        self.cell.start()
        # How it ended was not seen, so it counts as a crash: the policy starts it again.
        self.await_phase("web", "RUNNING")
        self.assertEqual(len(self.qemus_of(uid)), 1)
        self.await_greeting(uid, count=greeted + 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
