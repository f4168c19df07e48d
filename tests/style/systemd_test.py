"""What systemd itself says of our unit, sysusers and tmpfiles, without running any of them.

systemd_test.py SOURCE BUILD. The service under a real systemd: tests/e2e/systemd_guest_test.py."""

import json
import pathlib
import re
import stat
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(argument) for argument in sys.argv[1:3])
UNIT = SOURCE / "systemd" / "stellwerkd.service"
MOST_EXPOSURE = 3.0
SECONDS = {"": 1, "s": 1, "min": 60}


def text_of(name):
    return (SOURCE / name).read_text("utf-8")


def settings():
    """{name: its last value}"""
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", UNIT.read_text("utf-8")))


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(\w*)", text).groups()
    return int(number) * SECONDS[unit]


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


class Unit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stellwerk-unit-test.")
        self.addCleanup(folder.cleanup)
        self.unit = pathlib.Path(folder.name) / UNIT.name
        self.write(UNIT.read_text("utf-8"))

    def write(self, text):
        self.unit.write_text(text.replace("/usr/local/bin", str(BUILD / "bin")), encoding="utf-8")

    def analysis(self):
        result = run("systemd-analyze", "security", "--offline=true", "--json=short", self.unit)
        return {row["name"]: float(row["exposure"]) for row in json.loads(result.stdout)
                if row["exposure"]}

    def test_systemd_finds_no_mistake(self):
        result = run("systemd-analyze", "verify", self.unit)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))
        self.write(UNIT.read_text("utf-8").replace("WatchdogSec=", "WatchdogSecs="))
        self.assertIn("WatchdogSecs", run("systemd-analyze", "verify", self.unit).stderr)

    def test_exposure_is_at_most_three(self):
        threshold = f"--threshold={int(MOST_EXPOSURE * 10)}"
        result = run("systemd-analyze", "security", "--offline=true", threshold, self.unit)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.write(UNIT.read_text("utf-8").replace("SystemCallFilter=", "#"))
        result = run("systemd-analyze", "security", "--offline=true", threshold, self.unit)
        self.assertNotEqual(result.returncode, 0)

    def test_docs_list_what_stands_in_the_way_of_two(self):
        rows = re.findall(r"(?m)^\| `([^`]*)` \| ([\d.]+) \| (.+) \|$",
                          text_of("docs/hardening.md"))
        told = {name.replace("\\|", "|"): float(exposure) for name, exposure, _ in rows}
        self.assertEqual(told, self.analysis())
        overall = run("systemd-analyze", "security", "--offline=true", self.unit).stdout
        score = re.search(r"Overall exposure level for .*: ([\d.]+)", overall).group(1)
        self.assertIn(f"has the exposure {score} by", text_of("docs/hardening.md"))

    def test_threads_of_qemu_may_be_moved(self):
        """systemd adds and takes away calls in the order of its lines."""
        lines = re.findall(r"(?m)^SystemCallFilter=(.*)$", UNIT.read_text("utf-8"))
        self.assertGreater(lines.index("sched_setaffinity"), lines.index("~@resources"))
        self.assertIn("CAP_SYS_NICE", settings()["CapabilityBoundingSet"].split())

    def test_control_loop_feeds_the_watchdog(self):
        unit = settings()
        self.assertEqual((unit["Type"], unit["NotifyAccess"]), ("notify", "main"))
        self.assertGreaterEqual(seconds(unit["WatchdogSec"]), 10)
        said = [str(file.relative_to(SOURCE)) for file in (SOURCE / "api").rglob("*.cc")
                if '"WATCHDOG=1"' in file.read_text("utf-8")]
        self.assertEqual(said, ["api/daemon/daemon.cc"])

    def test_what_ends_at_once_is_given_up_and_what_ends_now_and_then_is_not(self):
        unit = settings()
        self.assertEqual(unit["Restart"], "always")
        burst, pause = int(unit["StartLimitBurst"]), seconds(unit["RestartSec"])
        interval, patience = seconds(unit["StartLimitIntervalSec"]), seconds(unit["WatchdogSec"])
        self.assertLess(burst * (pause + 2), interval)
        self.assertGreater(burst * (pause + patience), interval)

    def test_mistake_in_the_configuration_is_not_tried_again(self):
        code = re.search(r"kBadUsage = (\d+)", text_of("api/daemon/daemon.h")).group(1)
        self.assertEqual(settings()["RestartPreventExitStatus"], code)

    def test_end_leaves_other_units_alone(self):
        """What would take libvirt, and so guests, down with the service."""
        for word in ("PartOf", "BindsTo", "Requires", "PropagatesStopTo", "Conflicts"):
            self.assertNotIn(word, settings())


class Installation(unittest.TestCase):
    """In a root of its own, as systemd does it at boot."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stellwerk-root-test.")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "etc").mkdir()
        (self.root / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n", encoding="utf-8")
        (self.root / "etc" / "group").write_text("root:x:0:\n", encoding="utf-8")

    def install(self, program, kind, *words):
        folder = self.root / "usr" / "lib" / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stellwerk.conf").write_text(text_of(f"systemd/{kind}/stellwerk.conf"), "utf-8")
        result = run(program, *words, f"--root={self.root}", "stellwerk.conf")
        self.assertEqual((result.returncode, result.stderr.replace(
            "Creating group 'stellwerk' with GID 999.\n", "")), (0, ""))

    def modes(self):
        return {str(path.relative_to(self.root)): stat.S_IMODE(path.stat().st_mode)
                for top in ("run", "var") for path in (self.root / top).rglob("*")
                if "stellwerk" in str(path.relative_to(self.root))}

    def test_sysusers_makes_the_operators_group(self):
        self.install("systemd-sysusers", "sysusers.d")
        groups = (self.root / "etc" / "group").read_text("utf-8")
        self.assertRegex(groups, r"(?m)^stellwerk:x:\d+:$")
        default = re.search(r'(?m)^#operator_group = "(\w+)"$',
                            text_of("systemd/stellwerk.toml")).group(1)
        self.assertEqual(default, "stellwerk")

    def test_tmpfiles_make_the_folders_that_the_unit_and_the_configuration_name(self):
        self.install("systemd-tmpfiles", "tmpfiles.d", "--create")
        self.assertEqual(self.modes(), {
            "run/stellwerk": 0o755, "var/lib/stellwerk": 0o711, "var/lib/stellwerk/storage": 0o711})
        unit = settings()
        self.assertEqual((unit["RuntimeDirectoryMode"], unit["StateDirectoryMode"]),
                         ("0755", "0711"))

    def test_tmpfiles_let_qemu_through_and_nobody_look_after_a_backup_was_put_back(self):
        state = self.root / "var" / "lib" / "stellwerk"
        disk = state / "storage" / "instances" / "uid" / "disk.qcow2"
        disk.parent.mkdir(parents=True)
        (state / "storage" / "images").mkdir()
        for file in (disk, state / "stellwerk.db", state / "stellwerk.db-wal"):
            file.write_text("it stays", encoding="utf-8")
            file.chmod(0o644)
        for folder in (state, *(path for path in state.rglob("*") if path.is_dir())):
            folder.chmod(0o700)
        self.install("systemd-tmpfiles", "tmpfiles.d", "--create")
        modes = self.modes()
        for name in ("", "/storage", "/storage/images", "/storage/instances",
                     "/storage/instances/uid"):
            self.assertEqual(modes["var/lib/stellwerk" + name], 0o711, name)
        for name in ("stellwerk.db", "stellwerk.db-wal"):
            self.assertEqual(modes[f"var/lib/stellwerk/{name}"], 0o600)
        self.assertEqual(modes["var/lib/stellwerk/storage/instances/uid/disk.qcow2"], 0o644)
        self.assertEqual(disk.read_text("utf-8"), "it stays")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
