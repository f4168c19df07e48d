"""The daemon itself: who may speak to it, what it refuses to start on, what it says of itself."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import unittest

from lab import api, cell as cells, machine, waiting
from lab.case import CellCase

OPERATORS, NOBODY = 64056, 65534  # the sandbox's group `stellwerk`; nobody's user and group


class Callers(CellCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.program = pathlib.Path(os.environ["STELLWERK_LAB"]) / "stellwerk"
        shutil.copy(cells.BINARIES / "stellwerk", cls.program)

    def call_as_nobody(self, groups):
        command = self.cell.command("host", "list")
        return subprocess.run(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", groups, self.program,
             *command[1:]], capture_output=True, text=True, check=False, timeout=60)

    def test_stranger_is_refused_and_member_of_the_group_is_not(self):
        stranger = self.call_as_nobody("--clear-groups")
        self.assertNotEqual(stranger.returncode, 0)
        self.assertIn("permission", stranger.stderr.lower())
        # Whoever got past the socket's mode is still known by the credentials of the connection.
        self.cell.socket.chmod(0o666)
        self.addCleanup(self.cell.socket.chmod, 0o660)
        known = self.call_as_nobody("--clear-groups")
        self.assertNotEqual(known.returncode, 0)
        self.assertIn("may not use this daemon: be root or a member of the group stellwerk",
                      known.stderr)
        self.cell.socket.chmod(0o660)
        operator = self.call_as_nobody(f"--groups={OPERATORS}")
        self.assertEqual(operator.returncode, 0, operator.stderr)

    def test_no_tcp_port_is_ever_open(self):
        listening = "0A"
        for table in ("tcp", "tcp6"):
            lines = pathlib.Path(f"/proc/net/{table}").read_text("utf-8").splitlines()[1:]
            self.assertEqual([line for line in lines if line.split()[3] == listening], [])

    def test_health_service_says_serving(self):
        self.assertEqual(api.raw_unary(self.cell, "/grpc.health.v1.Health/Check", b""), b"\x08\x01")

    def test_reflection_lists_the_services(self):
        list_services = b"\x3a\x00"
        for version in ("v1alpha",):
            answer = api.raw_stream(
                self.cell, f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                list_services)
            for name in (b"Instances", b"Images", b"Flavors", b"Hosts", b"Projects", b"Events",
                         b"Consoles"):
                self.assertIn(b"stellwerk.v1." + name, answer)

    def test_watch_goes_on_after_a_restart_where_its_token_ended(self):
        messages = api.module("events_pb2")
        with api.channel(self.cell) as channel:
            stub = api.module("events_pb2_grpc").EventsStub(channel)
            token = next(stub.WatchEvents(messages.WatchEventsRequest(), timeout=60)).token
        self.cell.cli("project", "create", "before-the-restart")
        self.cell.kill()
        self.cell.start()
        self.cell.cli("project", "create", "after-the-restart")
        seen = []
        with api.channel(self.cell) as channel:
            stub = api.module("events_pb2_grpc").EventsStub(channel)
            for answer in stub.WatchEvents(messages.WatchEventsRequest(token=token), timeout=60):
                seen += [event.resource for event in answer.events
                         if event.type == "ProjectCreated"]
                if len(seen) == 2:
                    break
        self.assertEqual(seen, ["projects/before-the-restart", "projects/after-the-restart"])


class Addresses(CellCase):
    """Six addresses, one of them the gateway's."""
    configuration = {"network": {"subnet": "10.64.9.0/29", "gateway": "10.64.9.1"}}

    def test_addresses_and_macs_are_unique_run_out_and_are_freed_by_deletion(self):
        booked = [self.book(f"web-{number}", "--stopped") for number in range(5)]
        ports = [instance["networkInterfaces"][0] for instance in booked]
        self.assertEqual(len({port["ipAddress"] for port in ports} - {"10.64.9.1"}), 5)
        self.assertEqual(len({port["macAddress"] for port in ports}), 5)
        self.refused("instance", "create", "web-5", "--flavor", "tiny", "--image", "tiny",
                     names="address", code=7)
        self.cell.cli("instance", "delete", "web-2", "--wait")
        again = self.book("web-5", "--stopped")["networkInterfaces"][0]
        self.assertEqual(again["ipAddress"], ports[2]["ipAddress"])


class DamagedDatabase(CellCase):
    def refuses_to_start_and_touches_nothing(self, change, words):
        uid = self.book("web")["uid"]
        before = self.qemus_of(uid)
        self.cell.stop()
        saved = self.cell.directory / "saved.db"
        shutil.copy(self.cell.database, saved)
        change(self.cell.database)
        content = self.cell.database.read_bytes()
        files = self.cell.instance_files("")
        said = len(self.cell.log_text())
        daemon = self.cell.launch()
        self.assertGreater(daemon.wait(timeout=60), 0)
        for word in [str(self.cell.database), *words]:
            self.assertIn(word, self.cell.log_text()[said:])
        self.assertEqual(self.cell.database.read_bytes(), content)
        self.assertEqual(self.cell.instance_files(""), files)
        self.assertEqual(self.qemus_of(uid), before)
        self.assertEqual(machine.domains(), {uid: cells.domain_of(uid)})
        for file in self.cell.state.glob("stellwerk.db-*"):
            file.unlink()
        shutil.copy(saved, self.cell.database)
        self.cell.start()
        self.await_phase("web", "RUNNING")
        self.assertEqual(self.qemus_of(uid), before)

    def test_damaged_file_is_refused(self):
        def damage(file):
            with open(file, "r+b") as database:
                database.seek(100)
                database.write(os.urandom(8192))
        self.refuses_to_start_and_touches_nothing(damage, ["damaged"])

    def test_file_that_is_no_database_is_refused(self):
        self.refuses_to_start_and_touches_nothing(
            lambda file: file.write_text("hello " * 1000, encoding="utf-8"), [])

    def test_newer_format_is_refused(self):
        def make_newer(file):
            with sqlite3.connect(file) as database:
                version = database.execute("PRAGMA user_version").fetchone()[0]
                database.execute(f"PRAGMA user_version = {version + 1000}")
            database.close()
        self.refuses_to_start_and_touches_nothing(make_newer, ["newer"])


class Configuration(CellCase):
    @classmethod
    def prepare(cls):
        pass

    def test_every_mistake_is_reported_at_once_with_line_and_key(self):
        file = self.cell.directory / "wrong.toml"
        file.write_text('[daemon]\nlog_levl = "debug"\n[placement]\nshared_vcpus_per_core = 6\n'
                        '[network]\nsubnet = "10.64.0.0/99"\n', encoding="utf-8")
        result = subprocess.run([cells.BINARIES / "stellwerkd", "check-config", "--config", file],
                                capture_output=True, text=True, check=False, timeout=30)
        self.assertNotEqual(result.returncode, 0)
        said = result.stdout + result.stderr
        for line, key in ((2, "log_levl"), (4, "shared_vcpus_per_core"), (6, "subnet")):
            self.assertRegex(said, rf"\b{line}\b.*{key}")

    def test_right_configuration_is_accepted(self):
        subprocess.run([cells.BINARIES / "stellwerkd", "check-config", "--config",
                        self.cell.config_file], check=True, capture_output=True, timeout=30)

    def test_second_daemon_on_the_same_state_refuses_to_start(self):
        first = self.cell.daemon
        try:
            second = self.cell.launch()
            self.assertGreater(second.wait(timeout=60), 0)
        finally:
            self.cell.daemon = first
        self.assertIn(f"refusing to start: state_dir {self.cell.state}: another stellwerkd works "
                      f"in it (process {first.pid}); stop that one first", self.cell.log_text())
        waiting.until(self.cell.ready, 10, "the first daemon to serve on")


if __name__ == "__main__":
    unittest.main(verbosity=2)
