"""An instance's life past its booking, on real guests: rename, update, reboots, reset, resize,
protection, timeline; and the limits of its project."""

import json
import os
import signal
import subprocess
import unittest

from lab import machine, waiting
from lab.case import CellCase

MIB = 1 << 20


class Names(CellCase):
    def test_renamed_guest_runs_on_under_its_new_name(self):
        booked = self.book("web")
        uid = booked["uid"]
        self.await_greeting(uid)
        before = self.qemus_of(uid)
        renamed = self.cell.json("instance", "rename", "web", "shop")
        self.assertEqual((renamed["uid"], renamed["name"]),
                         (uid, "projects/default/instances/shop"))
        self.assertEqual(self.qemus_of(uid), before)
        self.await_carried_out("shop")
        self.assertEqual(self.qemus_of(uid), before)
        self.assertEqual(self.greetings(uid), 1)
        self.assertEqual(self.cell.run("instance", "show", "web").returncode, 3)
        self.assertIn(("InstanceRenamed", ""), self.events_of("shop"))
        self.assertIn("<stellwerk:instance-id>web<", self.metadata(uid))
        self.cell.cli("instance", "reboot", "shop", "--hard", "--wait")
        self.assertIn("<stellwerk:instance-id>shop<", self.metadata(uid))
        self.book("web", "--stopped")
        self.refused("instance", "rename", "web", "shop", names="exists", code=4)

    def metadata(self, uid):
        text = machine.virsh("dumpxml", uid)
        return text[text.index("<metadata"):text.index("</metadata")]

    def await_carried_out(self, name):
        def reached():
            instance = self.cell.instance(name)
            return instance["observedGeneration"] == instance["generation"]
        waiting.until(reached, 30, f"{name} to be as ordered", describe=self.cell.log_tail)

    def test_labels_are_changed_under_a_running_guest_and_select_it(self):
        uid = self.book("web", "--label", "app=web", "--label", "test=yes")["uid"]
        self.book("other", "--stopped", "--label", "app=web")
        before = self.qemus_of(uid)
        self.cell.cli("instance", "update", "web", "--label", "tier=front", "--unlabel", "test")
        self.assertEqual(self.cell.instance("web")["labels"], {"app": "web", "tier": "front"})
        listed = self.cell.json("instance", "list", "--selector", "app=web",
                                "--selector", "tier=front")
        self.assertEqual([instance["uid"] for instance in listed], [uid])
        self.await_carried_out("web")
        self.assertEqual(self.qemus_of(uid), before)

    def test_protected_instance_is_deleted_only_after_the_protection(self):
        self.book("kept", "--stopped", "--delete-protection")
        self.refused("instance", "delete", "kept", names=["protected", "--delete-protection off"],
                     code=1)
        self.assertTrue(self.cell.instance("kept")["deleteProtection"])
        self.cell.cli("instance", "update", "kept", "--delete-protection", "off")
        self.cell.cli("instance", "delete", "kept", "--wait")

    def test_user_data_may_change_until_the_first_start(self):
        uid = self.book("later", "--stopped")["uid"]
        path = self.cell.directory / "init"
        path.write_text("#cloud-config\n# chosen late\n", encoding="ascii")
        self.cell.cli("instance", "update", "later", "--user-data", path)
        self.cell.cli("instance", "start", "later", "--wait")
        seed = (self.cell.storage / "instances" / uid / "seed.iso").read_bytes()
        self.assertIn(b"# chosen late", seed)
        self.refused("instance", "update", "later", "--user-data", path,
                     names="has been started before", code=1)

    def test_state_and_policy_are_updated(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        self.cell.cli("instance", "update", "web", "--state", "stopped",
                      "--restart-policy", "never")
        self.await_phase("web", "STOPPED")
        self.assertEqual(self.qemus_of(uid), [])
        self.cell.cli("instance", "update", "web", "--state", "running")
        self.await_phase("web", "RUNNING")
        os.kill(self.qemus_of(uid)[0], signal.SIGKILL)
        waiting.until(lambda: ("InstanceEnded", "Crashed") in self.events_of("web"), 60,
                      "the crash to be told", describe=self.cell.log_tail)


class Reboots(CellCase):
    def test_soft_reboot_asks_the_guest(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        before = self.qemus_of(uid)
        self.cell.cli("instance", "reboot", "web", "--wait")
        self.await_greeting(uid, count=2)
        self.assertEqual(self.qemus_of(uid), before)

    def test_reset_presses_the_button_of_the_same_process(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        before = self.qemus_of(uid)
        self.cell.cli("instance", "reset", "web", "--wait")
        self.await_greeting(uid, count=2)
        self.assertEqual(self.qemus_of(uid), before)

    def test_hard_reboot_is_a_power_cycle_and_no_crash(self):
        uid = self.book("web", "--restart-policy", "never")["uid"]
        self.await_greeting(uid)
        before = self.qemus_of(uid)
        answer = self.cell.json("instance", "reboot", "web", "--hard", "--wait")
        self.await_greeting(uid, count=2)
        after = self.qemus_of(uid)
        self.assertEqual(len(after), 1)
        self.assertNotEqual(after, before)
        self.assertEqual((answer["desiredState"], answer["rebootCount"]), ("RUNNING", "1"))
        self.assertNotIn(("InstanceEnded", "Crashed"), self.events_of("web"))

    def test_power_cycle_survives_the_daemon_at_every_step(self):
        for place in ("hypervisor.destroy.before", "hypervisor.destroy.after",
                      "hypervisor.define.after", "storage.mark-started.before"):
            with self.subTest(place=place):
                name = "web-" + place.replace(".", "-")
                uid = self.book(name, "--restart-policy", "never")["uid"]
                self.await_greeting(uid)
                before = self.qemus_of(uid)
                self.cell.stop()
                self.cell.start("stellwerkd_failpoints", {"STELLWERK_FAILPOINTS": place + ":1"})
                self.await_phase(name, "RUNNING")
                self.cell.run("instance", "reboot", name, "--hard")  # its answer may be lost
                self.cell.daemon.wait(timeout=60)
                self.cell.start()
                self.await_phase(name, "RUNNING")
                waiting.until(lambda: self.qemus_of(uid) not in ([], before), 60,
                              "another process", describe=self.cell.log_tail)
                self.assertEqual(self.cell.instance(name)["desiredState"], "RUNNING")
                once = self.qemus_of(uid)
                # A later order is carried out on the process that this one has made. What that
                # said while no daemon listened is lost.
                greeted = self.greetings(uid)
                self.cell.cli("instance", "reset", name, "--wait")
                self.await_greeting(uid, count=greeted + 1)
                self.assertEqual(self.qemus_of(uid), once)
                self.cell.cli("instance", "delete", name, "--wait")

    def test_reset_ends_the_back_off_of_a_guest_that_keeps_crashing(self):
        uid = self.book("falls")["uid"]
        for crash in range(5):
            self.await_greeting(uid, count=crash + 1)
            self.await_phase("falls", "RUNNING")
            os.kill(self.qemus_of(uid)[0], signal.SIGKILL)
            waiting.until(lambda: not self.qemus_of(uid), 20, "the QEMU to end")
        waiting.until(lambda: self.cell.instance("falls")["reason"] == "RestartBackOff", 20,
                      "the back-off", describe=self.cell.log_tail)
        # It would have waited 16 s.
        self.cell.cli("instance", "reset", "falls", "--wait", "--timeout", "10")
        self.await_phase("falls", "RUNNING", seconds=10)
        self.assertEqual(len(self.qemus_of(uid)), 1)

    def test_stopped_instance_is_neither_rebooted_nor_reset(self):
        self.book("web", "--stopped")
        self.refused("instance", "reboot", "web", "--hard", names="start it instead", code=1)
        self.refused("instance", "reset", "web", names="start it instead", code=1)


class Resizes(CellCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.cell.cli("flavor", "create", "wide", "--vcpus", "2", "--memory", "96MiB",
                     "--class", "low-performance")
        cls.cell.cli("flavor", "create", "huge", "--vcpus", "1", "--memory", "4096GiB",
                     "--class", "low-performance")

    def disk_of(self, uid):
        disk = self.cell.storage / "instances" / uid / "disk.qcow2"
        answer = subprocess.run(["qemu-img", "info", "-U", "--output=json", disk], check=True,
                                capture_output=True)
        return json.loads(answer.stdout)["virtual-size"]

    def test_stopped_guest_gets_another_size_and_a_larger_disk(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        small = self.disk_of(uid)
        self.refused("instance", "resize", "web", "--flavor", "wide", names="stop it first", code=1)
        self.cell.cli("instance", "stop", "web", "--wait", "--timeout", "50")
        resized = self.cell.json("instance", "resize", "web", "--flavor", "wide",
                                 "--boot-disk", "64MiB")
        self.assertEqual((resized["vcpus"], resized["memoryBytes"], resized["bootDiskBytes"]),
                         ("2", str(96 * MIB), str(64 * MIB)))
        self.assertEqual(self.disk_of(uid), small)
        self.cell.cli("instance", "start", "web", "--wait")
        self.await_greeting(uid, count=2)
        self.assertEqual(self.disk_of(uid), 64 * MIB)
        xml = machine.virsh("dumpxml", uid)
        self.assertIn(">2</vcpu>", xml)
        self.assertIn(f"<memory unit='KiB'>{96 * 1024}</memory>", xml)
        use = self.cell.json("host", "list")[0]["use"]
        self.assertEqual((use["lowPerformanceVcpus"], use["diskBytes"]), ("2", str(64 * MIB)))

    def test_resize_that_cannot_be_changes_nothing(self):
        before = self.book("web", "--stopped", "--boot-disk", "32MiB")
        self.await_phase("web", "STOPPED")
        self.refused("instance", "resize", "web", "--flavor", "huge", names=["memory", "4 TiB"],
                     code=7)
        self.refused("instance", "resize", "web", "--flavor", "wide", "--boot-disk", "16MiB",
                     names=["never shrinks", "32 MiB", "16 MiB"], code=1)
        self.refused("instance", "resize", "web", "--flavor", "none", names="there is no flavor",
                     code=1)
        after = self.cell.instance("web")
        self.assertEqual(after["generation"], before["generation"])
        self.assertEqual(after["bootDiskBytes"], str(32 * MIB))


class Limits(CellCase):
    def tearDown(self):
        for name in ("town", "village"):
            for instance in self.in_project(name):
                self.cell.cli("instance", "delete", instance, "--wait", "--project", name)
            self.cell.run("image", "delete", "tiny", "--project", name)
            waiting.until(lambda name=name: self.cell.run("project", "delete", name).returncode
                          in (0, 3), 20, "the project to go")

    def in_project(self, project):
        answer = self.cell.run("instance", "list", "--project", project, "-o", "json")
        return [] if answer.returncode else [
            instance["name"].rsplit("/", 1)[1] for instance in json.loads(answer.stdout)]

    def make(self, project, *limits):
        self.cell.cli("project", "create", project, *limits)
        self.cell.cli("image", "import", "tiny", self.tiny_image, "--project", project)

    def create(self, project, name):
        return ["instance", "create", name, "--flavor", "tiny", "--image", "tiny", "--project",
                project, "--stopped"]

    def test_limit_refuses_what_exceeds_it_and_tells_what_is_left(self):
        self.make("town", "--limit-instances", "2", "--limit-memory", "100MiB")
        self.cell.cli(*self.create("town", "one"))
        self.refused(*self.create("town", "two"),
                     names=["memory: 64 MiB asked, 36 MiB left of 100 MiB (64 MiB used)"], code=8)
        self.cell.cli("project", "update", "town", "--limit-memory", "none")
        self.cell.cli(*self.create("town", "two"))
        self.refused(*self.create("town", "three"),
                     names=["instances: 1 asked, 0 left of 2 (2 used)"], code=8)
        shown = self.cell.cli("project", "show", "town")
        self.assertIn("Instances:               2 of 2\n", shown)
        self.assertIn("Memory:                  128 MiB, no limit\n", shown)
        self.assertIn("Addresses:               2, no limit\n", shown)
        self.cell.restart()
        self.assertIn("Instances:               2 of 2\n", self.cell.cli("project", "show", "town"))
        self.cell.cli("instance", "delete", "one", "--wait", "--project", "town")
        self.cell.cli(*self.create("town", "three"))

    def test_project_with_guests_is_not_deleted(self):
        self.make("village")
        self.cell.cli(*self.create("village", "inn"))
        self.refused("project", "delete", "village", names=["instances: inn", "images: tiny"],
                     code=1)
        self.assertEqual(self.in_project("village"), ["inn"])


class Timelines(CellCase):
    def lines(self, name):
        text = self.cell.cli("instance", "show", name)
        return [line.split("  ", 2)[2] for line in
                text[text.index("Timeline:\n"):].splitlines()[1:]]

    def test_show_tells_what_happened_why_and_by_whom_also_after_a_restart(self):
        uid = self.book("web")["uid"]
        self.await_greeting(uid)
        self.cell.cli("instance", "rename", "web", "shop")
        machine.virsh("send-key", uid, "KEY_Q")
        self.await_phase("shop", "STOPPED")
        waiting.until(lambda: "stopped" in self.lines("shop")[-1], 20, "the end in the timeline")
        lines = self.lines("shop")
        self.assertEqual(lines[0], "booked: flavor tiny, image tiny (by root)")
        self.assertIn("renamed: was web (by root)", lines)
        self.assertIn("ended: the guest shut itself down; it stays stopped", lines)
        self.assertLess(lines.index("running"), lines.index("renamed: was web (by root)"))
        self.cell.restart()
        self.assertEqual(self.lines("shop")[:len(lines)], lines)
        entry = self.cell.instance("shop")["timeline"][0]
        self.assertEqual((entry["type"], entry["caller"]), ("InstanceCreated", "root"))
        self.assertEqual(self.cell.json("instance", "list")[0]["timeline"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
