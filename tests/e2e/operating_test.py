"""Operating a host: the log as JSON, YAML, backup and restore beside a daemon at work."""

import json
import os
import subprocess
import unittest

import yaml

from lab import cell as cells, processes
from lab.case import CellCase

ODD_LABELS = {"a": "yes", "b": "1.0", "c": "2026-11-23", "d": "null", "e": "0x1f", "f": "1_000",
              "g": "0o17", "h": "1e3", "i": "true", "on": "no", "12": "010", "j": "a-b.c"}


def stellwerkd(cell, *words, **options):
    return subprocess.run(
        [cells.BINARIES / "stellwerkd", *map(str, words), "--config", cell.config_file],
        capture_output=True, text=True, check=False, timeout=60, **options)


class JsonLog(CellCase):
    configuration = {"daemon": {"log_format": "json", "log_level": "debug"}}

    def test_every_line_is_one_object_with_time_level_message_and_fields(self):
        uid = self.book("web")["uid"]
        lines = [json.loads(line) for line in self.cell.log_text().splitlines()]
        self.assertGreater(len(lines), 10)
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertIn(line["level"], ("debug", "info", "warning", "error", "critical"))
            self.assertTrue(line["message"])
        steps = [line["fields"] for line in lines if line["message"] == "step ended"]
        self.assertIn(uid, {fields["instance"] for fields in steps})
        self.assertTrue(all(fields["took_ms"].isdigit() for fields in steps))


class Yaml(CellCase):
    def test_every_answer_as_yaml_says_what_it_says_as_json(self):
        labels = [word for key, value in ODD_LABELS.items()
                  for word in ("--label", f"{key}={value}")]
        self.book("web", "--stopped", *labels)
        host = self.cell.json("host", "list")[0]["name"].rsplit("/", 1)[1]
        for words in (("instance", "list"), ("instance", "show", "web"), ("image", "list"),
                      ("image", "show", "tiny"), ("flavor", "list"), ("flavor", "show", "tiny"),
                      ("project", "list"), ("project", "show", "default"), ("event", "list")):
            with self.subTest(words):
                self.assertEqual(yaml.safe_load(self.cell.cli(*words, "-o", "yaml")),
                                 self.cell.json(*words))
        read = yaml.safe_load(self.cell.cli("host", "show", host, "-o", "yaml"))
        self.assertEqual(read["uid"], self.cell.json("host", "show", host)["uid"])
        self.assertEqual(self.cell.instance("web")["labels"], ODD_LABELS)

    def test_other_formats_are_refused(self):
        self.refused("instance", "list", "-o", "xml", names=["xml", "yaml"], code=2)


class Backup(CellCase):
    def back_up(self, name="backup.db", *more):
        file = self.cell.directory / name
        self.addCleanup(file.unlink, missing_ok=True)
        result = stellwerkd(self.cell, "backup", file, *more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return file

    def restore(self, file):
        return stellwerkd(self.cell, "restore", file)

    def refused_and_unchanged(self, file, words):
        before = self.cell.database.read_bytes()
        names = sorted(os.listdir(self.cell.state))
        result = self.restore(file)
        self.assertEqual(result.returncode, 1)
        self.assertIn(words, result.stderr)
        self.assertEqual(self.cell.database.read_bytes(), before)
        self.assertEqual(sorted(os.listdir(self.cell.state)), names)

    def test_restored_daemon_serves_what_was_there_and_leaves_guests_alone(self):
        kept = self.book("kept")["uid"]
        before = self.qemus_of(kept)
        file = self.back_up()
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        later = self.book("later")["uid"]
        self.cell.cli("project", "create", "after-the-backup")
        self.addCleanup(self.end_orphan, later)
        self.cell.stop()
        result = self.restore(file)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("before-restore-", result.stdout)
        self.cell.start()
        self.await_phase("kept", "RUNNING")
        self.assertEqual(self.qemus_of(kept), before)
        names = {project["name"] for project in self.cell.json("project", "list")}
        self.assertEqual(names, {"projects/default"})
        self.assertEqual(len(processes.qemus()[later]), 1)
        host = self.cell.json("host", "list")[0]
        self.assertEqual([orphan["uid"] for orphan in host["orphans"]], [later])

    def end_orphan(self, uid):
        subprocess.run(["virsh", "destroy", cells.domain_of(uid)], check=True,
                       capture_output=True)

    def test_lost_state_directory_becomes_whole_again(self):
        self.book("web", "--stopped")
        uid = (self.cell.state / "host-uid").read_text(encoding="utf-8")
        host = self.cell.json("host", "list")[0]["uid"]
        file = self.back_up()
        self.cell.stop()
        for name in ("stellwerk.db", "host-uid"):
            (self.cell.state / name).unlink()
        result = self.restore(file)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((self.cell.state / "host-uid").read_text(encoding="utf-8"), uid)
        self.cell.start()
        self.assertEqual(self.cell.json("host", "list")[0]["uid"], host)
        self.cell.cli("instance", "start", "web", "--wait")

    def test_backup_of_another_host_is_refused(self):
        file = self.back_up()
        self.cell.stop()
        self.addCleanup(self.cell.start)
        identity = self.cell.state / "host-uid"
        uid = identity.read_text(encoding="utf-8")
        self.addCleanup(identity.write_text, uid, encoding="utf-8")
        identity.write_text("0b5c1f0a-7d4e-5b1c-9a2f-3e4d5c6b7a80\n", encoding="utf-8")
        self.refused_and_unchanged(file, "the backup is of host " + uid.strip())

    def test_restore_beside_a_daemon_is_refused(self):
        file = self.back_up()
        result = self.restore(file)
        self.assertEqual(result.returncode, 1)
        self.assertIn("another stellwerkd works in it", result.stderr)
        self.cell.cli("project", "list")

    def test_rubbish_is_refused_and_nothing_changes(self):
        file = self.back_up()
        whole = file.read_bytes()
        self.cell.stop()
        self.addCleanup(self.cell.start)
        for rubbish in (b"", b"hello" * 5000, whole[:len(whole) // 2], whole[:-1]):
            file.write_bytes(rubbish)
            self.refused_and_unchanged(file, "damaged")
        self.refused_and_unchanged(self.cell.directory / "nowhere", "No such file")
        self.refused_and_unchanged(self.cell.directory, "not a regular file")

    def test_existing_file_is_replaced_only_when_told(self):
        file = self.cell.directory / "taken.db"
        file.write_text("precious", encoding="utf-8")
        result = stellwerkd(self.cell, "backup", file)
        self.assertEqual(result.returncode, 1)
        self.assertIn("exists already", result.stderr)
        self.assertEqual(file.read_text(encoding="utf-8"), "precious")
        self.assertTrue(self.back_up("taken.db", "--force").read_bytes().startswith(b"SQLite"))

    def test_full_disk_is_told_and_leaves_nothing(self):
        small = self.cell.directory / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        result = stellwerkd(self.cell, "backup", small / "backup.db")
        self.assertEqual(result.returncode, 1)
        self.assertIn("full", result.stderr)
        self.assertEqual(os.listdir(small), [])

    def test_usage_mistakes_are_told(self):
        self.assertEqual(stellwerkd(self.cell, "backup").returncode, 2)
        self.assertEqual(stellwerkd(self.cell, "restore").returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
