"""Operating a host: the log as JSON, YAML, backup and restore beside a daemon at work."""

import http.client
import json
import os
import re
import socket
import subprocess
import unittest

import grpc
import yaml

from lab import api, cell as cells, processes
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
        orphan = self.book("later")
        later, its = orphan["uid"], orphan["networkInterfaces"][0]
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
        port = self.book("fresh", "--stopped")["networkInterfaces"][0]
        for what in ("ipAddress", "macAddress"):
            self.assertNotEqual(port[what], its[what], "given twice")
        self.refused("instance", "create", "greedy", "--flavor", "tiny", "--image", "tiny",
                     "--network", "flat=" + its["ipAddress"], names=["is taken"])
        events = self.cell.events("--project", "-")
        self.assertEqual([event["uid"] for event in events if event["type"] == "OrphanFound"],
                         [later])

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


class Doctor(CellCase):
    def findings(self, code, config=None):
        result = self.cell.run("doctor", "--config", config or self.cell.config_file, "-o", "json")
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return {finding["check"]: finding for finding in json.loads(result.stdout)}

    def with_line(self, wrong, right):
        """Another configuration, in which one line differs."""
        file = self.cell.directory / "other.toml"
        text = self.cell.config_file.read_text(encoding="utf-8")
        self.assertIn(wrong, text)
        file.write_text(text.replace(wrong, right), encoding="utf-8")
        return file

    def test_host_in_order_fails_in_nothing(self):
        self.book("web")
        findings = self.findings(0)
        self.assertEqual(len(findings), 17)
        for check in ("daemon", "operators", "libvirt", "kvm", "memory", "state", "storage",
                      "passage", "space", "bridge", "subnet", "firewall", "api", "guests"):
            self.assertEqual(findings[check]["verdict"], "ok", findings[check])
        self.assertIn("QEMU", findings["libvirt"]["what"])
        self.assertIn(str(self.cell.daemon.pid), findings["daemon"]["what"])
        self.assertEqual(list(self.cell.state.glob("#*")), [])

    def test_daemon_that_is_away_is_told(self):
        self.cell.stop()
        self.addCleanup(self.cell.start)
        findings = self.findings(1)
        self.assertEqual(findings["daemon"]["verdict"], "failed")
        self.assertIn("systemctl", findings["daemon"]["todo"])
        self.assertEqual(findings["api"]["verdict"], "failed")
        self.assertEqual(findings["libvirt"]["verdict"], "ok")

    def test_libvirt_that_is_away_is_told(self):
        file = self.with_line("qemu:///system", "qemu:///system?socket=/nowhere")
        findings = self.findings(1, file)
        self.assertEqual(findings["libvirt"]["verdict"], "failed")
        self.assertIn("/nowhere", findings["libvirt"]["what"])

    def test_name_of_the_bridge_that_something_else_has_is_told(self):
        subprocess.run(["ip", "link", "add", "taken0", "type", "veth", "peer", "taken1"],
                       check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", "taken0"], check=True)
        subprocess.run(["ip", "address", "add", "10.64.0.200/24", "dev", "taken0"], check=True)
        findings = self.findings(1, self.with_line('"stellwerk0"', '"taken0"'))
        self.assertEqual(findings["bridge"]["verdict"], "failed")
        self.assertIn("no bridge", findings["bridge"]["what"])
        findings = self.findings(1)
        self.assertEqual(findings["subnet"]["verdict"], "failed")
        self.assertIn("taken0", findings["subnet"]["what"])

    def test_disk_below_its_reserve_is_told(self):
        findings = self.findings(1, self.with_line("disk_reserve_mib = 16",
                                                   "disk_reserve_mib = 1000000000"))
        self.assertEqual(findings["space"]["verdict"], "failed")

    def test_wrong_configuration_is_told_and_nothing_else_looked_at(self):
        file = self.cell.directory / "wrong.toml"
        file.write_text("[daemon]\nnonsense = 1\n", encoding="utf-8")
        findings = self.findings(1, file)
        self.assertEqual(set(findings), {"configuration", "api", "guests"})
        self.assertIn("nonsense", findings["configuration"]["what"])


class TopAndCompletion(CellCase):
    def test_top_shows_hosts_and_instances(self):
        self.book("web")
        table = self.cell.cli("top")
        self.assertRegex(table, r"(?m)^lab\s+READY\s+1 ")
        self.assertRegex(table, r"(?m)^web\s+default\s+RUNNING ")
        self.assertEqual(self.cell.json("top")["instances"][0]["uid"],
                         self.cell.instance("web")["uid"])

    def test_bash_is_offered_the_ids_that_there_are(self):
        self.book("web-with-a-name", "--stopped")
        script = (f'source <({cells.BINARIES}/stellwerk completion bash); '
                  'COMP_WORDS=(stellwerk instance show we); COMP_CWORD=3; _stellwerk; '
                  'echo "${COMPREPLY[@]}"')
        said = subprocess.run(["bash", "--norc", "-c", script], check=True, text=True,
                              capture_output=True, timeout=60, env=dict(
                                  os.environ, PATH=f"{cells.BINARIES}:{os.environ['PATH']}",
                                  STELLWERK_ENDPOINT=f"unix://{self.cell.socket}"))
        self.assertEqual(said.stdout.split(), ["web-with-a-name"])


def scrape(place):
    """The page of metrics at a Unix socket's path or at a port of loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", timeout=20)
    if isinstance(place, int):
        connection.sock = socket.create_connection(("127.0.0.1", place), timeout=20)
    else:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(str(place))
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    return answer.read().decode()


def samples_of(page):
    """{name and labels: value}; a line that is not of the text format fails."""
    found = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            match = re.fullmatch(r'([a-z_]+(?:\{[^}]*\})?) (\S+)', line)
            assert match, line
            found[match[1]] = float(match[2])
    return found


class Metrics(CellCase):
    # Without a folder of its own, as the runtime directory is root's.
    configuration = {"metrics": {"listen": "unix:/run/stellwerk-test/metrics.sock"}}
    place = "/run/stellwerk-test/metrics.sock"

    def samples(self):
        return samples_of(scrape(self.place))

    def test_page_shows_the_cell_the_work_and_the_process(self):
        before = self.samples()
        self.book("web")
        self.refused("instance", "show", "nobody", names="nobody", code=3)
        after = self.samples()
        self.assertEqual(after['stellwerk_instances{phase="running"}'], 1)
        self.assertEqual(after["stellwerk_cell_answers"], 1)
        self.assertEqual(after['stellwerk_host_ready{host="lab"}'], 1)
        memory = self.cell.json("host", "list")[0]["use"]["memoryBytes"]
        self.assertEqual(after['stellwerk_host_memory_used_bytes{host="lab"}'], int(memory))
        def grown(name):
            return after[name] - before.get(name, 0)
        self.assertGreater(grown('stellwerk_store_commits_total{code="OK"}'), 0)
        self.assertEqual(grown("stellwerk_store_commit_duration_seconds_count"),
                         grown('stellwerk_store_commits_total{code="OK"}'))
        for step in ("prepare-files", "start-domain"):
            self.assertEqual(grown(f'stellwerk_agent_steps_total{{code="OK",step="{step}"}}'), 1)
        for method, code in (("CreateInstance", "OK"), ("GetInstance", "NOT_FOUND")):
            self.assertEqual(grown(f'stellwerk_api_requests_total{{code="{code}",'
                                   f'method="Instances/{method}"}}'), 1)
        self.assertEqual(after["stellwerk_libvirt_connections_total"], 1)
        self.assertGreater(after["stellwerk_event_log_records"], 0)
        status = (f"/proc/{self.cell.daemon.pid}/status", "VmRSS:")
        with open(status[0], encoding="utf-8") as lines:
            resident = next(int(line.split()[1]) for line in lines if line.startswith(status[1]))
        self.assertAlmostEqual(after["process_resident_memory_bytes"], resident * 1024,
                               delta=8 << 20)

    def test_names_and_labels_follow_the_conventions(self):
        self.book("odd-name")
        page = scrape(self.place)
        types = dict(re.findall(r"# TYPE (\S+) (\S+)", page))
        helped = set(re.findall(r"# HELP (\S+) \S", page))
        self.assertEqual(set(types), helped)
        for name, kind in types.items():
            self.assertRegex(name, r"^(stellwerk|process)_[a-z_]+$")
            self.assertEqual(kind == "counter", name.endswith("_total"), name)
        labels = set(re.findall(r"[{,](\w+)=", page))
        self.assertLessEqual(labels, {"phase", "code", "method", "step", "host", "class", "le",
                                      "version"})
        self.assertNotIn("odd-name", page)

    def test_operators_alone_may_ask_at_the_socket(self):
        status = os.stat(self.place)
        self.assertEqual(status.st_mode & 0o777, 0o660)
        self.assertEqual(status.st_gid, 64056)

    def test_calls_that_are_not_of_the_api_get_no_label_of_their_own(self):
        for method in ("/stellwerk.v1.Instances/Forged", "/a.b/c"):
            with self.assertRaises(grpc.RpcError):
                api.raw_unary(self.cell, method, b"")
        self.assertNotIn("Forged", scrape(self.place))


class MetricsOnLoopback(CellCase):
    configuration = {"metrics": {"listen": "127.0.0.1:9464"}}

    @classmethod
    def prepare(cls):
        pass

    def test_page_is_served_on_loopback_alone(self):
        self.assertIn("stellwerk_cell_answers 1", scrape(9464))
        with open("/proc/net/tcp", encoding="utf-8") as table:
            listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
        self.assertEqual(listening, ["0100007F:24F8"])

    def test_port_that_is_taken_keeps_the_daemon_from_starting(self):
        self.cell.stop()
        self.addCleanup(self.cell.start)
        with socket.create_server(("127.0.0.1", 9464)):
            said = len(self.cell.log_text())
            self.assertEqual(self.cell.launch().wait(timeout=60), 1)
            self.assertIn("metrics.listen: cannot listen on 127.0.0.1 port 9464",
                          self.cell.log_text()[said:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
