"""Images that must not get in, and imports that break off: a clear error and nothing left."""

import contextlib
import hashlib
import os
import pathlib
import signal
import subprocess
import time
import unittest

from lab import waiting
from lab.case import CellCase, make_tiny

MIB = 1 << 20


def qemu_img(*words):
    subprocess.run(["qemu-img", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def small_file_system(name, mebibytes):
    folder = pathlib.Path(os.environ["STELLWERK_LAB"]) / name
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}M", "tmpfs", folder],
                   check=True)
    return folder


class BadImages(CellCase):
    configuration = {"storage": {"max_image_mib": 32, "max_virtual_mib": 2048}}

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(os.environ["STELLWERK_LAB"]) / self.id()
        self.folder.mkdir()
        self.file = self.folder / "image"
        self.before = self.cell.instance_files("")
        self.addCleanup(self.nothing_is_left_and_the_daemon_goes_on)

    def nothing_is_left_and_the_daemon_goes_on(self):
        self.assertEqual([image["name"] for image in self.cell.json("image", "list")],
                         ["projects/default/images/tiny"])
        self.assertEqual(self.cell.instance_files(""), self.before)
        self.cell.cli("image", "import", "good", self.tiny_image)
        self.cell.cli("image", "delete", "good")

    def refuse(self, *more, names, code=None):
        return self.refused("image", "import", "bad", self.file, *more, names=names, code=code)

    def test_backing_file_is_refused(self):
        qemu_img("create", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", self.file, "1M")
        self.refuse(names="backing file")

    def test_external_data_file_is_refused(self):
        qemu_img("create", "-f", "qcow2", "-o",
                 f"data_file={self.folder}/data,data_file_raw=on", self.file, "1M")
        self.refuse(names="data file")

    def test_raw_disk_whose_content_is_a_qcow2_with_a_backing_file_is_refused(self):
        qemu_img("create", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", self.file, "1M")
        with open(self.file, "r+b") as disk:
            disk.truncate(4 * MIB)
        self.refuse(names="backing file")

    def test_other_formats_are_refused_by_their_name(self):
        for image_format in ("vmdk", "vdi", "vhdx", "vpc", "qed"):
            with self.subTest(image_format):
                self.file.unlink(missing_ok=True)
                qemu_img("create", "-f", image_format, self.file, "8M")
                self.refuse(names=["looks like", "qemu-img convert"])

    def test_truncated_qcow2_is_refused(self):
        self.file.write_bytes(os.urandom(4 * MIB))
        qemu_img("convert", "-O", "qcow2", self.file, self.folder / "whole")
        self.file.write_bytes((self.folder / "whole").read_bytes()[:2 * MIB])
        self.refuse(names="truncated")

    def test_corrupt_qcow2_is_refused(self):
        qemu_img("create", "-f", "qcow2", self.file, "8M")
        with open(self.file, "r+b") as disk:
            disk.seek(40)  # the offset of the first-level table
            disk.write((1 << 62).to_bytes(8, "big"))
        self.refuse(names="qcow2")

    def test_empty_file_is_refused(self):
        self.file.write_bytes(b"")
        self.refuse(names="empty")

    def test_file_over_the_limit_is_refused(self):
        with open(self.file, "wb") as disk:
            disk.truncate(33 * MIB)
        self.refuse(names=["spec.size_bytes", "32 MiB"], code=1)
        with open(self.file, "rb") as stream:  # as from a pipe, its size is not known before
            self.refused("image", "import", "bad", "-", names=["chunk", "32 MiB"], code=1,
                         stdin=stream)

    def test_virtual_size_over_the_limit_is_refused(self):
        qemu_img("create", "-f", "qcow2", self.file, "3G")
        self.refuse(names=["the disk in the image has", "at most"])

    def test_wrong_checksum_is_refused_and_the_right_one_accepted(self):
        content = self.tiny_image.read_bytes()
        self.file.write_bytes(content)
        self.refuse("--sha256", "0" * 64, names="spec.sha256")
        self.cell.cli("image", "import", "summed", self.file, "--sha256",
                      hashlib.sha256(content).hexdigest())
        self.cell.cli("image", "delete", "summed")

    def test_cut_connection_leaves_nothing(self):
        with subprocess.Popen(self.cell.command("image", "import", "cut", "-"),
                              stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            client.stdin.write(os.urandom(8 * MIB))
            client.stdin.flush()
            waiting.until(lambda: any("incoming" in file for file in self.cell.instance_files("")),
                          30, "the upload to be under way", describe=self.cell.log_tail)
            client.send_signal(signal.SIGKILL)
            client.stdin.close()
        waiting.until(lambda: self.cell.instance_files("") == self.before, 30,
                      "the upload to be gone", describe=self.cell.log_tail)

    def test_daemon_killed_while_importing_leaves_nothing_after_its_restart(self):
        with subprocess.Popen(self.cell.command("image", "import", "cut", "-"),
                              stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            client.stdin.write(os.urandom(8 * MIB))
            client.stdin.flush()
            waiting.until(lambda: any("incoming" in file for file in self.cell.instance_files("")),
                          30, "the upload to be under way", describe=self.cell.log_tail)
            self.cell.kill()
            client.stdin.close()
            self.assertNotEqual(client.wait(timeout=30), 0)
        self.cell.start()
        waiting.until(lambda: self.cell.instance_files("") == self.before, 30,
                      "the upload to be gone", describe=self.cell.log_tail)

    def test_image_in_use_is_not_deleted(self):
        self.book("user", "--stopped")
        self.refused("image", "delete", "tiny", names="instance")


class FullDisk(CellCase):
    """The storage directory lies on a file system of 48 MiB."""

    @classmethod
    def setUpClass(cls):
        cls.small = small_file_system("small", 48)
        cls.configuration = {"storage": {"directory": str(cls.small / "storage")},
                             "host": {"disk_reserve_mib": 1}}
        super().setUpClass()

    @classmethod
    def prepare(cls):
        make_tiny(cls.cell, cls.tiny_image)

    def test_import_that_fills_the_disk_is_refused_and_leaves_nothing(self):
        before = self.cell.instance_files("")
        big = pathlib.Path(os.environ["STELLWERK_LAB"]) / "big"
        big.write_bytes(os.urandom(64 * MIB))
        with open(big, "rb") as stream:  # from a pipe, so that its size is not known before
            self.refused("image", "import", "big", "-", names="full", stdin=stream)
        self.assertEqual(self.cell.instance_files(""), before)
        self.refused("image", "show", "big", names="big", code=3)
        self.cell.cli("image", "import", "small", self.tiny_image)
        self.cell.cli("image", "delete", "small")


class FullStateDirectory(CellCase):
    """The database lies on a file system that is full."""

    @classmethod
    def setUpClass(cls):
        cls.small = small_file_system("small-state", 8)
        cls.configuration = {
            "daemon": {"state_dir": str(cls.small / "state")},
            "storage": {"directory": str(pathlib.Path(os.environ["STELLWERK_LAB"]) / "disks")}}
        super().setUpClass()

    def test_daemon_says_so_goes_on_when_there_is_room_and_ends_when_told_to(self):
        filler = self.small / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        command = self.cell.command("project", "create")
        clients = [subprocess.Popen([*command, f"p{number}"], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True) for number in range(40)]
        for client in clients:
            self.addCleanup(client.kill)
        waiting.until(lambda: "full" in self.cell.log_text(), 30, "the daemon to see the full disk")
        begun = time.monotonic()
        self.cell.stop()
        self.assertLess(time.monotonic() - begun, 15)
        self.assertEqual(self.cell.daemon.returncode, 0, self.cell.log_tail())
        # Whoever waited was refused, so nothing had to be cut off.
        self.assertIn("ended code=0", self.cell.log_text())
        for client in clients:
            client.communicate(timeout=60)
        filler.unlink()
        self.cell.start()
        self.cell.cli("project", "create", "later")


if __name__ == "__main__":
    unittest.main(verbosity=2)
