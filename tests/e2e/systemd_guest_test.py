"""The service under a real systemd: installed in a Debian machine of its own under QEMU, started,
killed, hung, restarted, stopped.

It takes about two minutes, most of them waiting, so it is part of ./dev test, which makes the image
and names it in $STELLWERK_HOST_IMAGE. One machine serves all tests; each finds the service running
on libvirt's mock, test:///default, and leaves it so."""

import json
import os
import pathlib
import re
import shutil
import sys
import unittest

from lab import cell as cells, waiting
from lab.case import make_tiny_image
from lab.virtual_machine import Machine

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERVICE = "stellwerkd"
PATIENCE = 240  # a machine of emulated processors beside compilers is slow
CONFIGURATION = "/etc/stellwerk/stellwerk.toml"
STATE = "/var/lib/stellwerk"
DROP_IN = f"/run/systemd/system/{SERVICE}.service.d/test.conf"
FILES = "/mnt"
HANG, PROBE = "/run/stellwerk/hang", "/run/probe.py"
# Of what docs/operating.md tells an engineer to type: the image has the packages, a disk the build.
DONE_ALREADY = ("apt-get ", "./dev build")
LAST_STEP = "systemctl enable --now stellwerkd"
SETTINGS = {"host": {"memory_reserve_mib": 64, "disk_reserve_mib": 16},
            "hypervisor": {"uri": "test:///default", "accel": "tcg"}}
# In the daemon's sandbox, before it starts: what its drivers need of the kernel.
SANDBOX_PROBE = """import ctypes, os, socket
nft = ctypes.CDLL("libnftables.so.1")
nft.nft_ctx_new.restype = ctypes.c_void_p
context = ctypes.c_void_p(nft.nft_ctx_new(0))
for words in ("add table bridge sandbox_probe", "delete table bridge sandbox_probe"):
    assert nft.nft_run_cmd_from_buffer(context, words.encode()) == 0, words
others = [pid for pid in os.listdir("/proc") if pid.isdecimal() and os.stat("/proc/" + pid).st_uid]
assert others, "no process of another user"
for pid in map(int, others):
    try:
        os.sched_setaffinity(pid, os.sched_getaffinity(pid))
    except ProcessLookupError:
        pass
socket.getaddrinfo("localhost", 80)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    listener = socket.socket(family)
    if family != socket.AF_UNIX:
        listener.bind(("localhost", 0))
        listener.listen()
        socket.create_connection(listener.getsockname()[:2])
open("/var/lib/stellwerk/probe", "w").close()
os.unlink("/var/lib/stellwerk/probe")
for path in ("/etc/probe", "/usr/probe", "/root/probe", "/sys/kernel/profiling"):
    try:
        open(path, "w")
    except OSError:
        continue
    raise SystemExit(path + " can be written")
"""


def installation():
    """The commands of the first block in docs/operating.md, up to the service's start."""
    text = (SOURCE / "docs" / "operating.md").read_text("utf-8")
    commands = [line.strip() for line in re.search(r"(?m)(^    .*\n)+", text).group().splitlines()]
    commands = commands[:commands.index(LAST_STEP)]
    return [command for command in commands if not command.startswith(DONE_ALREADY)]


machine = None


def setUpModule():
    global machine
    folder = pathlib.Path(os.environ["STELLWERK_LAB"]) / "machine"
    (folder / "files").mkdir(parents=True)
    fill(folder / "files")
    machine = Machine(os.environ["STELLWERK_HOST_IMAGE"], folder, folder / "files")
    unittest.addModuleCleanup(machine.stop)
    machine.boot()
    machine.run("mount", "-o", "ro", "/dev/vdb", FILES)
    machine.run("sh", "-ec", "\n".join([f"cd {FILES}", *installation()]))
    missing = machine.run("sh", "-c", "ldd /usr/local/bin/stellwerk* | grep 'not found' ||:")
    if missing:
        raise AssertionError(f"add their packages to tests/e2e/images/host:\n{missing}")
    configure()
    machine.run(*LAST_STEP.split())


def configure(**hypervisor):
    sections = dict(SETTINGS, hypervisor=SETTINGS["hypervisor"] | hypervisor)
    machine.write(CONFIGURATION, cells.as_toml(sections))


def fill(folder):
    """What the machine gets of the build."""
    (folder / "build" / "bin").mkdir(parents=True)
    for name in ("stellwerkd", "stellwerk", "stellwerkd_failpoints"):
        shutil.copy(cells.BINARIES / name, folder / "build" / "bin" / name)
    shutil.copytree(SOURCE / "systemd", folder / "systemd")
    shutil.copy(make_tiny_image(), folder / "tiny.raw")


class ServiceCase(unittest.TestCase):
    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            print(self.journal()[-6000:], file=sys.stderr)

    def setUp(self):
        self.await_ready()

    def restore(self):
        """With its configuration as the other tests want it."""
        configure()
        machine.attempt("systemctl", "reset-failed", SERVICE)
        self.systemctl("restart")

    def systemctl(self, verb):
        machine.run("systemctl", verb, SERVICE, seconds=PATIENCE)

    def show(self, name):
        return machine.run("systemctl", "show", "--value", "-p", name, SERVICE).strip()

    def journal(self):
        return machine.run("journalctl", "-b", "-u", SERVICE, "-o", "cat", "--no-pager")

    def stellwerk(self, *words):
        return json.loads(machine.run("stellwerk", *words, "-o", "json"))

    def is_ready(self):
        code, out, _ = machine.attempt("stellwerk", "host", "list", "-o", "json")
        return code == 0 and [host["state"] for host in json.loads(out)] == ["READY"]

    def await_ready(self):
        waiting.until(self.is_ready, PATIENCE, "the host to be ready", describe=self.journal)

    def await_restarts(self, count):
        waiting.until(lambda: int(self.show("NRestarts")) >= count, PATIENCE,
                      f"{count} restarts", describe=self.journal)
        self.await_ready()


class AsShipped(ServiceCase):
    def test_installed_service_serves_and_is_what_systemd_calls_sound(self):
        self.assertEqual([self.show(name) for name in ("ActiveState", "SubState", "Type", "Result",
                                                       "UnitFileState", "WatchdogUSec")],
                         ["active", "running", "notify", "success", "enabled", "30s"])
        machine.run("systemd-analyze", "verify", f"/etc/systemd/system/{SERVICE}.service")
        machine.run("systemd-analyze", "security", "--threshold=30", f"{SERVICE}.service")
        modes = machine.run("stat", "-c", "%a %U %G %n", STATE, f"{STATE}/storage",
                            f"{STATE}/stellwerk.db", "/run/stellwerk",
                            "/run/stellwerk/stellwerkd.sock").splitlines()
        self.assertEqual(modes, [f"711 root root {STATE}", f"711 root root {STATE}/storage",
                                 f"600 root root {STATE}/stellwerk.db",
                                 "755 root root /run/stellwerk",
                                 "660 root stellwerk /run/stellwerk/stellwerkd.sock"])

    def test_killed_service_comes_back_with_all_that_was_acknowledged(self):
        machine.run("stellwerk", "project", "create", "kept")
        before, pid = int(self.show("NRestarts")), self.show("MainPID")
        machine.run("kill", "-9", pid)
        self.await_restarts(before + 1)
        self.assertNotEqual(self.show("MainPID"), pid)
        self.assertIn("status=9/KILL", self.journal())
        self.assertIn("projects/kept",
                      [project["name"] for project in self.stellwerk("project", "list")])
        machine.run("stellwerk", "project", "delete", "kept")

    def test_restart_and_stop_end_in_good_order(self):
        pid = self.show("MainPID")
        self.systemctl("restart")
        self.await_ready()
        self.assertNotEqual(self.show("MainPID"), pid)
        self.systemctl("stop")
        self.assertEqual([self.show(name) for name in ("ActiveState", "Result", "ExecMainStatus")],
                         ["inactive", "success", "0"])
        code, _, said = machine.attempt("stellwerk", "host", "list")
        self.assertEqual(code, 5, said)
        machine.run("test", "-d", "/run/stellwerk")
        self.assertEqual(machine.attempt("pgrep", "-x", SERVICE)[0], 1)
        self.systemctl("start")
        self.await_ready()

    def test_mistake_in_the_configuration_is_told_once_and_not_tried_again(self):
        self.addCleanup(self.restore)
        machine.write(CONFIGURATION, "[daemon]\nlog_levl = 1\n")
        before = self.show("NRestarts")
        code, _, _ = machine.attempt("systemctl", "restart", SERVICE)
        self.assertNotEqual(code, 0)
        self.assertEqual([self.show(name) for name in ("ActiveState", "Result", "ExecMainStatus")],
                         ["failed", "exit-code", "2"])
        self.assertIn(self.show("NRestarts"), (before, "0"))
        self.assertIn("log_levl", self.journal())

    def test_second_daemon_is_refused_and_told_which_process_to_stop(self):
        pid = self.show("MainPID")
        code, _, said = machine.attempt("stellwerkd", "all", "--config", CONFIGURATION)
        self.assertEqual(code, 1)
        self.assertIn(f"state_dir {STATE}: another stellwerkd works in it (process {pid})", said)
        self.assertEqual(self.show("MainPID"), pid)

    def test_guest_runs_on_whatever_happens_to_the_service(self):
        """With the machine's libvirt and QEMU, as Debian configures them."""
        self.addCleanup(self.restore)
        configure(uri="qemu:///system")
        self.systemctl("restart")
        self.await_ready()
        machine.run("stellwerk", "flavor", "create", "tiny", "--vcpus", "1", "--memory", "64MiB",
                    "--class", "low-performance")
        machine.run("stellwerk", "image", "import", "tiny", f"{FILES}/tiny.raw")
        machine.run("stellwerk", "instance", "create", "web", "--flavor", "tiny", "--image",
                    "tiny", "--wait", "--timeout", "200", seconds=PATIENCE)
        uid = self.stellwerk("instance", "show", "web")["uid"]
        before = self.qemu(uid)
        self.assertRegex(before, r"(?m)^libvirt-qemu \d+ ")
        pid = before.split()[1]
        self.assertNotIn(SERVICE, machine.run("cat", f"/proc/{pid}/cgroup"))
        console = f"{STATE}/storage/instances/{uid}/console.log"
        # There is no file before the first word.
        waiting.until(lambda: "tiny guest " + uid in machine.attempt("cat", console)[1], PATIENCE,
                      "the guest to greet")
        self.systemctl("stop")
        self.assertEqual(self.qemu(uid), before)
        self.systemctl("start")
        self.await_running()
        restarts = int(self.show("NRestarts"))
        machine.run("kill", "-9", self.show("MainPID"))
        self.await_restarts(restarts + 1)
        self.systemctl("restart")
        self.await_running()
        self.assertEqual(self.qemu(uid), before)
        self.assertEqual(machine.run("cat", console).count("tiny guest "), 1)
        machine.run("stellwerk", "instance", "stop", "web", "--force", "--wait", seconds=PATIENCE)
        self.assertEqual(self.qemu(uid), "")
        self.not_started_twice(uid)
        machine.run("stellwerk", "instance", "delete", "web", "--wait", seconds=PATIENCE)

    def not_started_twice(self, uid):
        """The sandbox does not hide another user's QEMU that libvirt knows nothing of."""
        machine.run("systemd-run", "-q", "--unit=stray", "--uid=libvirt-qemu", "qemu-system-x86_64",
                    "-uuid", uid, "-S", "-display", "none", "-accel", "tcg", "-m", "64")
        self.addCleanup(machine.attempt, "systemctl", "stop", "stray")
        pid = waiting.until(lambda: self.qemu(uid), PATIENCE, "the stray QEMU").split()[1]
        machine.run("stellwerk", "instance", "start", "web")
        waiting.until(lambda: pid in self.stellwerk("instance", "show", "web")["message"], PATIENCE,
                      "the host to name the stray process", describe=self.journal)
        self.assertEqual(self.qemu(uid).split()[1:2], [pid])
        machine.run("systemctl", "stop", "stray")

    def qemu(self, uid):
        """User, pid and start of the process that runs it."""
        found = machine.run("ps", "-eo", "user:20,pid,lstart,args")
        lines = [line.split() for line in found.splitlines()
                 if re.search(rf"qemu-system\S* .*-uuid {uid}", line)]
        return "\n".join(" ".join(words[:7]) for words in lines)

    def await_running(self):
        waiting.until(lambda: self.is_ready() and self.stellwerk("instance", "show", "web")["phase"]
                      == "PHASE_RUNNING", PATIENCE, "the guest to be seen running",
                      describe=self.journal)


class Altered(ServiceCase):
    """With shorter patience, a daemon that can be made to hang, and a look from inside the sandbox.
    systemd takes seconds to read a change, so all of it is one."""

    @classmethod
    def setUpClass(cls):
        cls.alter("[Unit]", "StartLimitBurst=3", "[Service]", "RestartSec=100ms", "WatchdogSec=8",
                  "ExecStart=",
                  f"ExecStart={FILES}/build/bin/stellwerkd_failpoints all --config {CONFIGURATION}",
                  f"Environment=STELLWERK_HANG=controller.step={HANG}",
                  f"ExecStartPre=/bin/sh -c 'test ! -e {PROBE} || exec /usr/bin/python3 {PROBE}'")
        cls.addClassCleanup(cls.alter)

    def setUp(self):
        machine.run("systemctl", "reset-failed", SERVICE)  # also forgets how often it was started
        super().setUp()

    @classmethod
    def alter(cls, *lines):
        machine.write(DROP_IN, "\n".join(lines) + "\n")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", SERVICE)

    def test_sandbox_lets_drivers_do_their_work_and_nothing_else(self):
        machine.run("systemd-run", "-q", "--unit=somebody", "--uid=nobody", "sleep", "infinity")
        self.addCleanup(machine.run, "systemctl", "stop", "somebody")
        machine.write(PROBE, SANDBOX_PROBE)
        self.addCleanup(machine.run, "rm", PROBE)
        self.systemctl("restart")
        self.await_ready()
        machine.run("stellwerk", "image", "import", "sandboxed", f"{FILES}/tiny.raw")
        self.assertEqual(self.stellwerk("image", "show", "sandboxed")["state"], "ACTIVE")
        machine.run("stellwerk", "image", "delete", "sandboxed")

    def test_hung_controller_is_killed_by_the_watchdog_and_started_again(self):
        before, pid = int(self.show("NRestarts")), self.show("MainPID")
        fed = self.show("WatchdogTimestampMonotonic")
        waiting.until(lambda: self.show("WatchdogTimestampMonotonic") != fed, 20,
                      "the watchdog to be fed")
        machine.run("touch", HANG)
        self.await_restarts(before + 1)
        self.assertNotEqual(self.show("MainPID"), pid)
        said = self.journal()
        self.assertIn("Watchdog timeout (limit 8s)", said)
        self.assertIn("Failed with result 'watchdog'", said)

    def test_service_gives_up_on_a_directory_that_another_daemon_holds(self):
        self.addCleanup(self.restore)
        self.systemctl("stop")
        machine.run("systemd-run", "--unit=by-hand", "--service-type=notify", "-q",
                    "/usr/local/bin/stellwerkd", "all", "--config", CONFIGURATION)
        self.addCleanup(machine.run, "systemctl", "stop", "by-hand")
        other = machine.run("systemctl", "show", "--value", "-p", "MainPID", "by-hand").strip()
        machine.attempt("systemctl", "start", SERVICE)
        waiting.until(lambda: self.show("ActiveState") == "failed", PATIENCE, "systemd to give up",
                      describe=self.journal)
        said = self.journal()
        self.assertIn(f"another stellwerkd works in it (process {other})", said)
        self.assertIn("Start request repeated too quickly", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
