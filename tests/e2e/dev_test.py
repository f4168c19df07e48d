"""./dev leaves the machine as it should, however it ends: with stubs instead of Debian's tools.

A private mount namespace puts directories of the test over those of the machine."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from lab import waiting  # noqa: E402

SOURCE = HERE.parents[1]
# What apt-get does to a machine, as far as it matters here.
APT = """#!/bin/bash
[[ $1 == install ]] || exit 0
wants=/etc/systemd/system/multi-user.target.wants
enable() { mkdir -p $wants && ln -s /lib/systemd/system/$1 $wants/$1; }
start() {
  if [[ ! -x /usr/sbin/policy-rc.d ]] || /usr/sbin/policy-rc.d; then touch "$STAGE/started"; fi
}
echo $$ > "$STAGE/pid.new" && mv "$STAGE/pid.new" "$STAGE/pid"
"""
SLOW_MAKER = """#!/bin/bash
echo $$ > "$STAGE/pid.new" && mv "$STAGE/pid.new" "$STAGE/pid"
exec sleep 600
"""
ENDINGS = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))


def heed_signals():
    """What ignores a signal hands that on to its children, and a shell cannot undo it."""
    for number, _ in ENDINGS:
        signal.signal(number, signal.SIG_DFL)


def end(pidfd):
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


class Stage(unittest.TestCase):
    """A copy of ./dev with stubs in front of the machine's programs."""
    verb = ""

    def setUp(self):
        if os.geteuid() != 0:
            self.fail("needs root: a mount namespace")
        self.set_the_stage()

    def set_the_stage(self):
        temporary = tempfile.TemporaryDirectory(prefix="stellwerk-dev-test.")
        self.addCleanup(temporary.cleanup)
        self.stage = pathlib.Path(temporary.name)
        for name in ("bin", "sbin", "systemd/system", "tmp"):
            (self.stage / name).mkdir(parents=True)
        shutil.copy(SOURCE / "dev", self.stage / "dev")

    def stub(self, path, text):
        file = self.stage / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def start(self):
        script = (f"mount --bind {self.stage}/sbin /usr/sbin && "
                  f"mount --bind {self.stage}/systemd /etc/systemd && exec ./dev {self.verb}")
        dev = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", script],
            cwd=self.stage, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True, preexec_fn=heed_signals,
            env={"PATH": f"{self.stage}/bin:/usr/bin:/bin", "STAGE": str(self.stage),
                 "TMPDIR": str(self.stage / "tmp"), "HOME": str(self.stage)})
        self.addCleanup(dev.stdout.close)
        self.addCleanup(dev.kill)
        return dev

    def run_it(self):
        dev = self.start()
        said, _ = dev.communicate(timeout=60)
        return dev.returncode, said

    def is_there(self, name):
        return (self.stage / name).exists()

    def pid(self):
        waiting.until(lambda: self.is_there("pid"), 20, "a stub to write its pid")
        pid = int((self.stage / "pid").read_text("utf-8"))
        pidfd = os.pidfd_open(pid)
        self.addCleanup(os.close, pidfd)
        self.addCleanup(end, pidfd)
        return pid


class Setup(Stage):
    verb = "setup"

    def set_the_stage(self):
        super().set_the_stage()
        self.stub("bin/dpkg-query", "#!/bin/sh\nexit 1\n")

    def links(self):
        return sorted(path.name for path in (self.stage / "systemd").rglob("*")
                      if path.is_symlink())

    def assert_clean(self):
        self.assertFalse(self.is_there("sbin/policy-rc.d"))
        self.assertEqual(self.links(), [])
        self.assertFalse(self.is_there("started"))

    def test_services_are_neither_started_nor_left_enabled(self):
        (self.stage / "systemd/system/owners.service").symlink_to("/lib/owners.service")
        self.stub("bin/apt-get", APT + "enable new.service; start\n")
        code, said = self.run_it()
        self.assertEqual(code, 0, said)
        self.assertIn("kept from starting at boot: /etc/systemd/system", said)
        self.assertEqual(self.links(), ["owners.service"])
        self.assertFalse(self.is_there("sbin/policy-rc.d"))
        self.assertFalse(self.is_there("started"))

    def test_services_are_disabled_also_when_the_installation_fails(self):
        self.stub("bin/apt-get", APT + "enable new.service; start; echo no space; exit 100\n")
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(said, r"no space\ndev: installing \d+ packages failed; the whole output")
        self.assert_clean()

    def test_policy_of_the_owner_is_left_alone(self):
        self.stub("sbin/policy-rc.d", "#!/bin/sh\nexit 104\n")
        self.stub("bin/apt-get", APT)
        self.assertEqual(self.run_it()[0], 0)
        self.assertIn("104", (self.stage / "sbin/policy-rc.d").read_text("utf-8"))

    def test_interruption_ends_a_download(self):
        for number, code in ENDINGS:
            with self.subTest(number.name):
                self.set_the_stage()
                self.stub("bin/apt-get", APT + "enable new.service; exec sleep 600\n")
                dev = self.start()
                apt = self.pid()
                dev.send_signal(number)
                self.assertEqual(dev.wait(timeout=20), code, dev.stdout.read())
                self.assertFalse(waiting.alive(apt))
                self.assert_clean()
                self.assertEqual(os.listdir(self.stage / "tmp"), [])

    def test_interruption_waits_for_the_installation_that_has_begun(self):
        # apt-get ignores SIGINT while dpkg works, or packages would be left half-installed.
        self.stub("bin/apt-get", APT + """trap 'touch "$STAGE/interrupted"' INT
until [[ -e $STAGE/go-on ]]; do sleep 0.1; done
enable late.service
start
""")
        dev = self.start()
        apt = self.pid()
        os.killpg(dev.pid, signal.SIGINT)
        waiting.until(lambda: self.is_there("interrupted"), 20, "apt-get to be interrupted")
        os.killpg(dev.pid, signal.SIGINT)  # the impatient press it again
        self.assertTrue(waiting.alive(apt))
        self.assertTrue(waiting.alive(dev.pid))
        self.assertTrue(self.is_there("sbin/policy-rc.d"))
        (self.stage / "go-on").touch()
        self.assertEqual(dev.wait(timeout=20), 130, dev.stdout.read())
        self.assertFalse(waiting.alive(apt))
        self.assert_clean()


class Demo(Stage):
    verb = "demo"

    def set_the_stage(self):
        super().set_the_stage()
        self.stub("bin/dpkg-query", "#!/bin/sh\nprintf installed\n")
        self.stub("build/build.ninja", "")
        self.stub("tests/e2e/images/get", SLOW_MAKER)
        self.stub("tests/e2e/demo", '#!/bin/bash\necho told $1 $PPID $$\n')

    def test_interruption_ends_the_image_maker_too(self):
        self.stub("bin/ninja", "#!/bin/bash\nexec sleep 600\n")
        dev = self.start()
        maker = self.pid()
        os.killpg(dev.pid, signal.SIGINT)
        self.assertEqual(dev.wait(timeout=20), 130, dev.stdout.read())
        self.assertFalse(waiting.alive(maker))
        self.assertEqual(os.listdir(self.stage / "tmp"), [])

    def test_compiler_s_failure_ends_the_image_maker_too(self):
        self.stub("bin/ninja", '#!/bin/bash\nuntil [[ -e $STAGE/pid ]]; do :; done; exit 1\n')
        code, said = self.run_it()
        self.assertEqual(code, 1, said)
        maker = int((self.stage / "pid").read_text("utf-8"))
        self.assertFalse(waiting.alive(maker))

    def test_image_that_cannot_be_made_fails_with_its_last_words(self):
        self.stub("bin/ninja", "#!/bin/bash\n")
        self.stub("tests/e2e/images/get", "#!/bin/bash\necho tried >> $STAGE/tries\n"
                  "echo no mirror answers >&2\nexit 1\n")
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertIn("no mirror answers\ndev: making a bootable Debian image failed", said)
        self.assertEqual((self.stage / "tries").read_text("utf-8"), "tried\n")

    def test_story_takes_the_place_of_dev_so_that_it_gets_every_signal(self):
        self.stub("bin/ninja", "#!/bin/bash\n")
        self.stub("tests/e2e/images/get", "#!/bin/bash\necho /image\n")
        dev = self.start()
        said, _ = dev.communicate(timeout=60)
        self.assertIn(f"told /image {os.getpid()} {dev.pid}", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
