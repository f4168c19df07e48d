"""The sandbox keeps its promise: the machine outside is as before, whatever happens inside."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from lab import machine, waiting  # noqa: E402

SANDBOX = str(HERE / "sandbox")
# The first process has ended and is reaped; then comes another signal. Prints what gets killed.
LATE_SIGNAL = """
import importlib.machinery, importlib.util, os, signal, sys
loader = importlib.machinery.SourceFileLoader("sandbox", sys.argv[1])
sandbox = importlib.util.module_from_spec(importlib.util.spec_from_loader("sandbox", loader))
loader.exec_module(sandbox)
sandbox.first_process = lambda *_: os._exit(7)
killed = []
os.kill = lambda *victim: killed.append(victim)
code = sandbox.run(None, None)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.raise_signal(number)
print(code, killed)
"""


class Sandbox(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.fail("needs root: namespaces, mounts and tap devices")
        self.temporary = tempfile.TemporaryDirectory(prefix="stellwerk-sandbox-test.")
        self.addCleanup(self.temporary.cleanup)
        self.environment = dict(os.environ, TMPDIR=self.temporary.name)

    def run_inside(self, script, *options):
        return subprocess.run([SANDBOX, *options, "bash", "-c", script], env=self.environment,
                              capture_output=True, text=True, check=False, timeout=120)

    def left(self):
        return os.listdir(self.temporary.name)

    def test_command_s_exit_code_and_output_come_through(self):
        result = self.run_inside("echo said; exit 7", "--no-libvirtd")
        self.assertEqual((result.returncode, result.stdout), (7, "said\n"))
        self.assertEqual(self.left(), [])

    def test_own_libvirtd_answers_and_shows_no_domain_of_the_machine(self):
        result = self.run_inside("virsh -q -c qemu:///system list --all; echo end")
        self.assertEqual((result.returncode, result.stdout), (0, "end\n"), result.stderr)

    def test_network_host_name_processes_and_folders_are_its_own(self):
        made = pathlib.Path("/etc/stellwerk-was-here")
        before = machine.interfaces(), os.uname().nodename, made.exists()
        result = self.run_inside(
            "ip link add sbtest0 type bridge && hostname other && touch /etc/stellwerk-was-here"
            " /run/stellwerk-was-here && test -d /var/lib/libvirt && pgrep -c . && ls /run",
            "--no-libvirtd")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((machine.interfaces(), os.uname().nodename, made.exists()), before)
        self.assertFalse(os.path.exists("/run/stellwerk-was-here"))
        self.assertLess(int(result.stdout.split()[0]), 8)

    def start_with_a_survivor(self):
        """A sandbox in which a process has left its session; its pid as seen out here."""
        marker = f"stellwerk-survivor-{os.getpid()}"
        sandbox = subprocess.Popen(
            [SANDBOX, "--no-libvirtd", "bash", "-c",
             f"setsid bash -c 'exec -a {marker} tail -f /dev/null' & echo up; wait"],
            env=self.environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(sandbox.stdout.close)
        self.assertEqual(sandbox.stdout.readline(), "up\n")

        def survivor():
            for name in filter(str.isdigit, os.listdir("/proc")):
                try:
                    words = pathlib.Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[0] == marker.encode():
                    return int(name)
            return None
        return sandbox, waiting.until(survivor, 10, "the survivor to start")

    def test_everything_inside_dies_when_the_sandbox_is_terminated(self):
        sandbox, survivor = self.start_with_a_survivor()
        sandbox.terminate()
        sandbox.wait(timeout=20)
        self.assertFalse(waiting.alive(survivor))
        self.assertEqual(self.left(), [])

    def test_everything_inside_dies_when_the_sandbox_is_killed_and_the_next_run_cleans_up(self):
        sandbox, survivor = self.start_with_a_survivor()
        sandbox.send_signal(signal.SIGKILL)
        sandbox.wait(timeout=20)
        waiting.until(lambda: not waiting.alive(survivor), 20, "the survivor to die")
        self.assertEqual(len(self.left()), 1)
        self.assertEqual(self.run_inside("true", "--no-libvirtd").returncode, 0)
        self.assertEqual(self.left(), [])

    def test_signal_after_the_end_kills_no_process_that_has_the_number_now(self):
        result = subprocess.run(["/usr/bin/python3", "-c", LATE_SIGNAL, SANDBOX], text=True,
                                env=self.environment, capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "7 []\n"), result.stderr)

    def test_impatient_ctrl_c_does_not_stop_the_clean_up(self):
        sandbox = subprocess.Popen(
            [SANDBOX, "--no-libvirtd", "bash", "-c",
             "cd $STELLWERK_LAB && touch {1..500} && echo up && exec sleep 600"],
            env=self.environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(sandbox.stdout.close)
        self.assertEqual(sandbox.stdout.readline(), "up\n")
        deadline = time.monotonic() + 20
        while sandbox.poll() is None and time.monotonic() < deadline:
            sandbox.send_signal(signal.SIGINT)
        self.assertEqual(sandbox.wait(timeout=20), 128 + signal.SIGKILL)
        self.assertEqual(self.left(), [])

    def test_directory_of_a_running_sandbox_is_left_alone(self):
        sandbox, survivor = self.start_with_a_survivor()
        self.assertEqual(self.run_inside("true", "--no-libvirtd").returncode, 0)
        self.assertEqual(len(self.left()), 1)
        self.assertTrue(waiting.alive(survivor))
        sandbox.terminate()
        sandbox.wait(timeout=20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
