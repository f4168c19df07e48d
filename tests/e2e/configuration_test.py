"""What the configuration says reaches what it configures, and an upgrade leaves guests alone."""

import contextlib
import sqlite3
import unittest
import uuid

from lab import api, cell as cells, machine
from lab.case import CellCase

MIB = 1 << 20


class OddValues(CellCase):
    """A host with nothing as it is by default; its accelerator is found by a look."""
    configuration = {
        "daemon": {"max_log_records": 1000},
        "host": {"id": "odd-host", "memory_mib": 4096, "memory_reserve_mib": 300,
                 "disk_reserve_mib": 48, "local_disk_type": "ssd"},
        "placement": {"shared_vcpus_per_core": 2, "shared_vcpus_per_thread": 1,
                      "low_performance_vcpus_per_thread": 2},
        "hypervisor": {"accel": "auto", "probe_seconds": 3},
        "network": {"dns": ["10.64.0.53"], "bridge": "odd0"},
        "storage": {"max_image_mib": 8},
    }

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        # The next cell has its bridge in the same range.
        machine.output("ip", "link", "delete", "odd0")

    def host(self):
        return self.cell.json("host", "show", "odd-host")

    def refused_beyond(self, flavor_class, vcpus):
        """One more than the host offers of a class is refused; as many as it offers fit."""
        most, beyond = f"{flavor_class}-most", f"{flavor_class}-beyond"
        for name, count in ((most, vcpus), (beyond, vcpus + 1)):
            self.cell.cli("flavor", "create", name, "--vcpus", str(count), "--memory", "16MiB",
                          "--class", flavor_class)
            self.addCleanup(self.cell.cli, "flavor", "delete", name)
        create = ["instance", "create", "web", "--image", "tiny", "--stopped"]
        self.refused(*create, "--flavor", beyond, names=["vcpu"], code=7)
        self.cell.cli(*create, "--flavor", most)
        self.delete_everything()

    def test_host_offers_what_was_configured(self):
        host = self.host()
        self.assertEqual(int(host["capacity"]["memoryBytes"]), 4096 * MIB)
        self.assertEqual(int(host["reserved"]["memoryBytes"]), 300 * MIB)
        self.assertEqual(int(host["reserved"]["diskBytes"]), 48 * MIB)
        self.assertEqual(host["diskType"], "ssd")
        self.assertIn("SCS-2V-4-20s", self.cell.cli("flavor", "list"))

    def test_limits_of_shared_and_low_performance_vcpus_follow_the_configuration(self):
        capacity = self.host()["capacity"]
        threads, cores = int(capacity["threads"]), int(capacity["cores"])
        self.refused_beyond("low-performance", 2 * threads)
        self.refused_beyond("shared", min(threads, 2 * cores))

    def test_accelerator_that_a_look_has_found_runs_the_guests(self):
        found = self.host()["accelerator"]
        self.assertIn(f"accelerator={found} why=", self.cell.log_text())
        uid = self.book("web")["uid"]
        self.assertIn(f"<domain type='{'kvm' if found == 'kvm' else 'qemu'}'",
                      machine.virsh("dumpxml", uid))
        self.await_greeting(uid)

    def test_ports_and_seeds_are_of_the_configured_network(self):
        uid = self.book("web")["uid"]
        self.assertIn("<source bridge='odd0'/>", machine.virsh("dumpxml", uid))
        seed = self.cell.storage / "instances" / uid / "seed.iso"
        self.assertIn(b"10.64.0.53", seed.read_bytes())

    def test_image_over_the_configured_limit_is_refused(self):
        large = self.cell.directory / "large.raw"
        large.write_bytes(bytes(9 * MIB))
        self.refused("image", "import", "large", large, names=["8"])

    def test_log_keeps_no_more_than_the_configured_number_of_commits(self):
        messages = api.module("projects_pb2")
        with api.channel(self.cell) as channel:
            projects = api.module("projects_pb2_grpc").ProjectsStub(channel)
            for number in range(510):
                projects.CreateProject(messages.CreateProjectRequest(
                    project_id=f"p{number}", request_id=str(uuid.uuid4())), timeout=10)
                projects.DeleteProject(messages.DeleteProjectRequest(
                    name=f"projects/p{number}", request_id=str(uuid.uuid4())), timeout=10)
        kept = len(self.cell.stored_keys("log/"))
        self.assertGreater(kept, 900)
        self.assertLessEqual(kept, 1000)


class Upgrade(CellCase):
    def make_format_0(self):
        with contextlib.closing(sqlite3.connect(self.cell.database)) as database:
            database.executescript("ALTER TABLE head DROP COLUMN incarnation;"
                                   "PRAGMA user_version = 0;")

    def test_upgrade_of_the_database_leaves_guests_alone_and_manages_them(self):
        uid = self.book("web")["uid"]
        before = self.qemus_of(uid)
        self.assertEqual(len(before), 1)
        self.cell.stop()
        self.make_format_0()
        self.cell.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(self.qemus_of(uid), before)
        self.assertTrue((self.cell.state / "stellwerk.db.before-format-1").exists())
        self.cell.cli("instance", "stop", "web", "--force", "--wait")
        self.assertEqual(self.qemus_of(uid), [])
        self.cell.cli("instance", "start", "web", "--wait")
        self.assertEqual(machine.domains(), {uid: cells.domain_of(uid)})


if __name__ == "__main__":
    unittest.main(verbosity=2)
