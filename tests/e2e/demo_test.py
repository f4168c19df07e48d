"""The demonstration leaves nothing behind, however it ends, and does not blame the story for what
the owner of the machine does meanwhile. Stories that take no minutes stand in for the real one."""

import contextlib
import importlib.machinery
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from lab import waiting  # noqa: E402

DEMO = HERE / "demo"
ENDLESS = "echo up; setsid tail -f /dev/null & wait"


def heed_signals():
    """What ignores a signal hands that on to its children; Ctrl-C is what this is about."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Endings(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.fail("needs root: the sandbox does")
        temporary = tempfile.TemporaryDirectory(prefix="stellwerk-demo-test.")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.addCleanup(self.end_what_runs_on)

    def start(self, story):
        program = self.folder / "story"
        program.write_text(f"#!/bin/bash\n{story}\n", encoding="utf-8")
        program.chmod(0o755)
        demo = subprocess.Popen(
            [DEMO, self.folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, preexec_fn=heed_signals,
            env=dict(os.environ, TMPDIR=str(self.temporary), STELLWERK_DEMO_STORY=str(program)))
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.kill)
        return demo

    def start_endless(self):
        demo = self.start(ENDLESS)
        self.assertEqual(demo.stdout.readline(), "up\n")
        self.assertGreater(len(self.processes()), 3)
        return demo

    def processes(self):
        """Those with our directory in their environment: all of the sandbox, and what it runs."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.fsencode(self.temporary) in pathlib.Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(int(pid))
            except OSError:
                continue
        return [pid for pid in found if waiting.alive(pid)]

    def end_what_runs_on(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def assert_nothing_left(self):
        self.assertEqual(self.processes(), [])
        self.assertEqual(os.listdir(self.temporary), [])

    def test_story_that_ends_well(self):
        demo = self.start("[[ -d $STELLWERK_LAB && -d $1 ]] && echo told")
        said, _ = demo.communicate(timeout=60)
        self.assertEqual(demo.returncode, 0, said)
        self.assertIn("this machine is as it was", said)
        self.assert_nothing_left()

    def test_story_that_fails(self):
        demo = self.start("exit 3")
        said, _ = demo.communicate(timeout=60)
        self.assertEqual(demo.returncode, 3, said)
        self.assertNotIn("as it was", said)
        self.assert_nothing_left()

    def test_what_the_sandbox_left_is_told_and_removed(self):
        # The sandbox cannot know what is beside its own directory.
        demo = self.start("mkdir -p $TMPDIR/beside/it")
        said, _ = demo.communicate(timeout=60)
        self.assertEqual(demo.returncode, 1, said)
        self.assertIn("left behind: beside", said)
        self.assert_nothing_left()

    def test_ctrl_c_leaves_nothing_also_when_it_is_pressed_twice(self):
        demo = self.start_endless()
        os.killpg(demo.pid, signal.SIGINT)
        os.killpg(demo.pid, signal.SIGINT)
        self.assertNotEqual(demo.wait(timeout=30), 0)
        self.assertNotIn("Traceback", demo.stdout.read())
        self.assert_nothing_left()

    def test_termination_of_the_demonstration_alone_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                demo = self.start_endless()
                demo.send_signal(number)
                self.assertNotEqual(demo.wait(timeout=30), 0)
                self.assert_nothing_left()

    def test_kill_ends_the_sandbox_and_the_next_run_removes_the_directory(self):
        demo = self.start_endless()
        demo.kill()
        demo.wait()
        waiting.until(lambda: not self.processes(), 30, "the sandbox to end")
        self.assertEqual(len(os.listdir(self.temporary)), 1)
        self.assertEqual(self.start("exit 0").wait(timeout=60), 0)
        self.assert_nothing_left()

    def test_directory_of_a_running_demonstration_is_left_alone(self):
        first = self.start_endless()
        self.assertEqual(self.start("exit 0").wait(timeout=60), 0)
        self.assertEqual(len(os.listdir(self.temporary)), 1)
        first.terminate()
        first.wait(timeout=30)
        self.assert_nothing_left()


class Comparison(unittest.TestCase):
    def setUp(self):
        loader = importlib.machinery.SourceFileLoader("demo", str(DEMO))
        self.demo = importlib.util.module_from_spec(
            importlib.util.spec_from_loader("demo", loader))
        loader.exec_module(self.demo)
        temporary = tempfile.TemporaryDirectory(prefix="stellwerk-demo-test.")
        self.addCleanup(temporary.cleanup)
        self.etc = pathlib.Path(temporary.name) / "etc"
        self.state = pathlib.Path(temporary.name) / "state"
        self.own = "/tmp/stellwerk-demo.x"
        for folder in (self.etc, self.state):
            folder.mkdir()
            (folder / "file").write_text("as it was", encoding="utf-8")
        self.demo.CONFIGURATION, self.demo.STATE = (self.etc,), (self.state,)
        self.before = self.demo.machine_as_it_is()

    def changes(self, **named):
        after = self.demo.machine_as_it_is()
        for kind, more in named.items():
            after[kind] = after[kind] | dict.fromkeys(more)
        return list(self.demo.changes(self.before, after, self.own))

    def test_guest_of_the_owner_that_runs_changes_nothing(self):
        (self.state / "file").write_text("a line in its log", encoding="utf-8")
        os.utime(self.etc / "file", (1, 1))
        self.assertEqual(self.changes(mount=["tmpfs /run/user/0 tmpfs rw 0 0"]), [])
        self.before["network interface"]["vnet7"] = None
        self.assertEqual(self.changes(**{"network interface": ["vnet8", "swp1", "sword"]}), [])

    def test_file_that_came_went_or_reads_otherwise_is_told(self):
        (self.state / "new").touch()
        (self.etc / ".hidden").touch()
        (self.etc / "file").write_text("as it was not", encoding="utf-8")
        self.assertEqual(self.changes(), [
            f"in {self.etc}: {self.etc}/.hidden", f"in {self.etc}: {self.etc}/file",
            f"in {self.state}: {self.state}/new"])
        (self.state / "new").unlink()
        (self.state / "file").unlink()
        self.assertIn(f"in {self.state}: {self.state}/file", self.changes())

    def test_service_that_was_enabled_is_told(self):
        (self.etc / "new.service").symlink_to("/lib/new.service")
        self.assertEqual(self.changes(), [f"in {self.etc}: {self.etc}/new.service"])

    def test_interface_mount_and_user_of_the_story_are_told(self):
        mount = f"tmpfs {self.own}/lab tmpfs rw 0 0"
        self.assertEqual(
            self.changes(mount=[mount], user=["stellwerk:x:1:1::/:/bin/sh"],
                         **{"network interface": ["stellwerk0", "swff3c5ebe993c"]}),
            ["network interface: stellwerk0", "network interface: swff3c5ebe993c",
             f"mount: {mount}", "user: stellwerk:x:1:1::/:/bin/sh"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
