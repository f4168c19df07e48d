"""The base of the end-to-end tests: one cell for each test class, the tiny guest in it, and after
each test nothing left of its instances."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from lab import cell as cells
from lab import machine, processes, waiting

HERE = pathlib.Path(__file__).resolve().parents[1]
TINY_FLAVOR = "tiny"
TINY_MIB = 64
TINY_IMAGE = "tiny"
GREETING = "tiny guest "


def make_tiny_image():
    """The tiny guest's disk, made in the sandbox."""
    folder = pathlib.Path(os.environ["STELLWERK_LAB"]) / "tiny"
    if not folder.exists():
        folder.mkdir()
        subprocess.run([HERE / "images" / "tiny", folder], check=True)
    return folder / "disk.raw"


class CellCase(unittest.TestCase):
    configuration = {}

    @classmethod
    def setUpClass(cls):
        if "STELLWERK_LAB" not in os.environ:
            raise RuntimeError(f"run this in the sandbox: tests/e2e/sandbox {sys.argv[0]}")
        cls.tiny_image = make_tiny_image()
        cls.cell = cells.Cell(cls.__name__.lower(), cls.configuration)
        cls.cell.start()
        cls.addClassCleanup(cls.cell.stop)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """What every test of the class finds."""
        make_tiny(cls.cell, cls.tiny_image)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            print(self.cell.log_tail(60), file=sys.stderr)

    def setUp(self):
        self.addCleanup(self.delete_everything)

    def delete_everything(self):
        """Also a check: after any test, what its instances were can be deleted without a trace."""
        if self.cell.daemon.poll() is not None:
            self.cell.start()
        left = self.cell.json("instance", "list")
        for instance in left:
            self.cell.cli("instance", "delete", short_name(instance))
        waiting.until(lambda: not self.cell.json("instance", "list"), 60, "all instances deleted",
                      describe=self.cell.log_tail)
        for instance in left:
            self.assertEqual(self.traces(instance["uid"]), {})

    def book(self, name, *more, wait=True):
        """A tiny instance; returned as it is once it runs."""
        words = ["instance", "create", name, "--flavor", TINY_FLAVOR, "--image", TINY_IMAGE, *more]
        if wait:
            words += ["--wait", "--timeout", "90"]
        return self.cell.json(*words)

    def await_phase(self, name, phase, seconds=60):
        """The instance once it has this phase."""
        def reached():
            instance = self.cell.instance(name)
            return instance if instance["phase"] == f"PHASE_{phase}" else None
        return waiting.until(reached, seconds, f"{name} to be {phase}", describe=lambda: (
            json.dumps(self.cell.instance(name), indent=1) + self.cell.log_tail(60)))

    def qemus_of(self, uid):
        return processes.qemus().get(uid, [])

    def console_file(self, uid):
        return self.cell.storage / "instances" / uid / "console.log"

    def greetings(self, uid):
        """How often the guest with this uid has said so on its console."""
        return machine.console(self.console_file(uid)).count(GREETING + uid)

    def await_greeting(self, uid, count=1):
        waiting.until(lambda: self.greetings(uid) >= count, 60,
                      f"the guest {uid} to greet {count} times", describe=self.cell.log_tail)

    def traces(self, uid):
        """Where anything of this instance is left, and what."""
        found = {
            "domain": [name for uuid, name in machine.domains().items() if uuid == uid],
            "process": self.qemus_of(uid),
            "files": self.cell.instance_files(uid),
            "interface": [name for name in machine.interfaces()
                          if name.startswith(cells.interface_of(uid))],
            "keys": self.cell.stored_keys(f"instance/{uid}")
                    + self.cell.stored_keys(f"userdata/{uid}"),
        }
        return {where: what for where, what in found.items() if what}

    def events_of(self, name):
        return [(event["type"], event["reason"]) for event in
                self.cell.events("--instance", name)]

    def refused(self, *words, names, code=None, **options):
        """The CLI must refuse, and say so in words that hold all of `names`."""
        result = self.cell.run(*words, **options)
        self.assertNotEqual(result.returncode, 0, f"accepted: {words}\n{result.stdout}")
        for name in [names] if isinstance(names, str) else names:
            self.assertIn(name.lower(), result.stderr.lower())
        if code is not None:
            self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr


def make_tiny(cell, image):
    cell.cli("flavor", "create", TINY_FLAVOR, "--vcpus", "1", "--memory", f"{TINY_MIB}MiB",
             "--class", "low-performance")
    cell.cli("image", "import", TINY_IMAGE, image)


def short_name(resource):
    """The last part of a resource's name."""
    return resource["name"].rsplit("/", 1)[1]
