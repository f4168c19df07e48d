"""A guest image that cannot be made says why and what would do, and leaves nothing half-made."""

import contextlib
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

GET = HERE / "images" / "get"
MIRROR = "deb http://mirror.example/debian bookworm main"
KNOWN = f'#!/bin/bash\n[[ $1 != indextargets ]] || echo "{MIRROR}"\n'
UNKNOWN = '#!/bin/bash\n[[ $* != *update ]] || touch "$STAGE/updated"\n'
# mmdebstrap [OPTIONS] SUITE TARGET -
ROOT = '#!/bin/bash\nroot=${*: -2:1}\nmkdir -p "$root/etc"\n'


def heed_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Debian(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.fail("needs root: mmdebstrap does")
        temporary = tempfile.TemporaryDirectory(prefix="stellwerk-images-test.")
        self.addCleanup(temporary.cleanup)
        self.stage = pathlib.Path(temporary.name)
        for name in ("bin", "cache"):
            (self.stage / name).mkdir()
        self.stub("apt-config", "#!/bin/bash\n")
        self.stub("apt-get", KNOWN)

    def stub(self, name, text):
        file = self.stage / "bin" / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def start(self, *before):
        get = subprocess.Popen(
            [*before, GET, "debian"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed_signals,
            env={"PATH": f"{self.stage}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "STAGE": str(self.stage), "STELLWERK_CACHE": str(self.stage / "cache")})
        self.addCleanup(get.stdout.close)
        self.addCleanup(get.stderr.close)
        self.addCleanup(get.kill)
        return get

    def fails(self, *before):
        """What it says; nothing is on its standard output, and nothing in the cache."""
        get = self.start(*before)
        out, said = get.communicate(timeout=60)
        self.assertEqual((get.returncode, out), (1, ""), said)
        self.assert_cache_is_empty()
        self.assertIn("get: the image debian cannot be made", said)
        self.assertIn("run the same command again", said)
        return said

    def assert_cache_is_empty(self):
        self.assertEqual([name for name in os.listdir(self.stage / "cache" / "images")
                          if name != ".debian.lock"], [])

    def test_mirror_that_does_not_answer(self):
        self.stub("mmdebstrap", ROOT + 'cp /dev/stdin "$STAGE/sources"\n'
                  'echo "E: Failed to fetch http://mirror.example/debian" >&2; exit 25\n')
        said = self.fails()
        self.assertEqual((self.stage / "sources").read_text("utf-8"), MIRROR + "\n")
        self.assertIn("Failed to fetch http://mirror.example/debian", said)
        self.assertIn("a Debian mirror that answers", said)

    def test_mirror_that_nobody_named(self):
        self.stub("apt-get", UNKNOWN)
        self.stub("mmdebstrap", ROOT)
        self.assertIn("name one in /etc/apt/sources.list", self.fails())
        self.assertTrue((self.stage / "updated").exists())

    def test_disk_that_is_full(self):
        self.stub("mmdebstrap", ROOT + 'head -c 4M /dev/zero > "$root/file"\n')
        cache = self.stage / "cache"
        said = self.fails("unshare", "--mount", "--propagation", "private", "bash", "-c",
                          f'mount -t tmpfs -o size=2M tmpfs {cache} && "$0" "$@"; code=$?\n'
                          f'cp -a {cache}/images {self.stage}/seen; umount {cache}\n'
                          f'mv {self.stage}/seen {cache}/images; exit $code')
        self.assertIn("No space left on device", said)
        self.assertIn(f"2 MiB were free in {cache}/images", said)
        self.assertIn("3 GiB of disk", said)

    def processes(self):
        """Those with our directory in their environment."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.fsencode(self.stage) in pathlib.Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(int(pid))
        return [pid for pid in found if waiting.alive(pid)]

    def test_what_the_recipe_mounts_and_starts_is_not_the_machine_s(self):
        (self.stage / "devices").mkdir()
        (self.stage / "devices" / "null").touch()
        self.stub("mmdebstrap", ROOT + 'mkdir "$root/dev"\n'
                  'mount --bind "$STAGE/devices" "$root/dev"\nsetsid sleep 600 &\n'
                  'echo up >&2\n[[ ! -e $STAGE/wait ]] || exec sleep 600\nexit 1\n')
        self.fails()
        self.assertTrue((self.stage / "devices" / "null").exists())
        self.assertEqual(self.processes(), [])
        (self.stage / "wait").touch()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                get = self.start()
                self.assertEqual(get.stderr.readline(), "up\n")
                os.killpg(get.pid, number)
                self.assertNotEqual(get.wait(timeout=20), 0)
                self.assertTrue((self.stage / "devices" / "null").exists())
                self.assertEqual(self.processes(), [])
                self.assert_cache_is_empty()

    def test_interruption_leaves_nothing_half_made(self):
        self.stub("mmdebstrap", ROOT + "echo up >&2; exec sleep 600\n")
        get = self.start()
        self.assertEqual(get.stderr.readline(), "up\n")
        images = self.stage / "cache" / "images"
        self.assertTrue((images / ".debian.making").exists())
        os.killpg(get.pid, signal.SIGINT)
        self.assertNotEqual(get.wait(timeout=20), 0)
        self.assert_cache_is_empty()


if __name__ == "__main__":
    unittest.main(verbosity=2)
