"""Images that the daemon fetches by itself, from good servers and from bad ones."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import unittest

from lab import waiting
from lab.case import CellCase
from lab.web import Page, WebServer, endless, make_certificate, redirect

MIB = 1 << 20


class FetchingCase(CellCase):
    images = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(os.environ["STELLWERK_LAB"]) / cls.__name__
        cls.folder.mkdir()
        cls.certificate, authority = make_certificate(cls.folder)
        cls.configuration = {
            "storage": {"max_image_mib": 32, "max_virtual_mib": 2048},
            "images": {"allowed_addresses": ["127.0.0.1/32"], "ca_file": str(authority),
                       "attempts": 2, "connect_seconds": 3} | cls.images}
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.web = WebServer()
        self.addCleanup(self.web.close)
        self.before = self.cell.instance_files("")
        self.addCleanup(self.nothing_is_left)
        # Different from test to test, and bootable.
        self.disk = self.tiny_image.read_bytes().ljust(8 * MIB, b"\0")

    def nothing_is_left(self):
        for image in self.cell.json("image", "list"):
            name = image["name"].rsplit("/", 1)[1]
            if name != "tiny":
                self.cell.cli("image", "delete", name)
        waiting.until(lambda: len(self.cell.json("image", "list")) == 1, 30, "the images to go",
                      describe=self.cell.log_tail)
        waiting.until(lambda: self.cell.instance_files("") == self.before, 30,
                      "their files to go", describe=self.cell.log_tail)

    def fetch(self, url, *more, name="fetched"):
        return self.cell.cli("image", "import", name, url, *more)

    def fails(self, url, *more, names):
        """The import fails for the reason given, the record tells it, and no file stays."""
        error = self.refused("image", "import", "fetched", url, *more, names=names, code=1)
        image = self.cell.json("image", "show", "fetched")
        self.assertEqual(image["state"], "FAILED", error)
        for name in [names] if isinstance(names, str) else names:
            self.assertIn(name.lower(), image["failure"].lower())
        waiting.until(lambda: self.cell.instance_files("") == self.before, 30,
                      "what had come to go", describe=self.cell.log_tail)
        self.cell.cli("image", "delete", "fetched")
        waiting.until(lambda: len(self.cell.json("image", "list")) == 1, 30, "the image to go")

    def await_state(self, state, name="fetched"):
        def reached():
            image = self.cell.json("image", "show", name)
            return image if image["state"] == state else None
        return waiting.until(reached, 60, f"{name} to be {state}", describe=self.cell.log_tail)


class SlowServers(FetchingCase):
    images = {"slow_seconds": 2, "least_bytes_per_second": 65536}

    def test_a_slow_server_is_given_up(self):
        never = threading.Event()
        self.addCleanup(never.set)
        self.web.pages["/image"] = Page(self.disk, gate=lambda at: at < MIB or never.wait(60))
        self.fails(self.web.url(), names=["given up after 2 attempts", "too slow"])


class FetchedImages(FetchingCase):
    # Good servers.

    def test_an_image_is_fetched_and_boots(self):
        self.web.pages["/image"] = Page(self.disk)
        digest = hashlib.sha256(self.disk).hexdigest()
        out = self.fetch(self.web.url(), "--sha256", digest, "--property", "os_distro=debian",
                         "--public")
        self.assertIn("ACTIVE", out)
        image = self.cell.json("image", "show", "fetched")
        self.assertEqual(image["sha256"], digest)
        self.assertEqual(image["sourceUrl"], self.web.url())
        self.assertEqual(image["properties"], {"os_distro": "debian"})
        self.assertEqual(image["visibility"], "PUBLIC")
        guest = self.cell.json("instance", "create", "guest", "--flavor", "tiny", "--image",
                               "fetched", "--wait", "--timeout", "90")
        self.await_greeting(guest["uid"])
        self.refused("image", "delete", "fetched", names=["is used by", "guest"])
        self.cell.cli("instance", "delete", "guest", "--wait")

    def test_https_with_an_authority_of_ones_own(self):
        web = WebServer(certificate=self.certificate)
        self.addCleanup(web.close)
        web.pages["/image"] = Page(self.disk)
        self.assertIn("ACTIVE", self.fetch(web.url()))

    def test_redirects_are_followed(self):
        self.web.pages["/image"] = redirect("/there")
        self.web.pages["/there"] = redirect(self.web.url("/final"), 301)
        self.web.pages["/final"] = Page(self.disk)
        self.assertIn("ACTIVE", self.fetch(self.web.url()))

    def test_progress_is_seen_on_both_ends(self):
        half = threading.Event()
        self.addCleanup(half.set)
        self.web.pages["/image"] = Page(self.disk, gate=lambda at: at < 4 * MIB or half.wait(1))
        self.fetch(self.web.url(), "--no-wait")

        def received():
            image = self.cell.json("image", "show", "fetched")
            return image if int(image.get("receivedBytes", 0)) >= 3 * MIB else None
        image = waiting.until(received, 30, "half of it to come", describe=self.cell.log_tail)
        self.assertEqual(int(image["expectedBytes"]), 8 * MIB)
        self.assertRegex(self.cell.cli("image", "list"), "IMPORTING [4-9][0-9] %")
        self.assertIn("of 8 MiB", self.cell.cli("image", "show", "fetched"))
        half.set()
        self.await_state("ACTIVE")

    def test_the_progress_of_an_upload_is_seen_too(self):
        with subprocess.Popen(self.cell.command("image", "import", "fetched", "-"),
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as client:
            client.stdin.write(self.disk[:4 * MIB])
            client.stdin.flush()

            def received():
                shown = self.cell.run("image", "show", "fetched", "-o", "json")
                return shown.returncode == 0 and int(json.loads(shown.stdout)["receivedBytes"]) > 0
            waiting.until(received, 30, "the first bytes to be told", describe=self.cell.log_tail)
            client.stdin.write(self.disk[4 * MIB:])
            client.stdin.close()
            self.assertEqual(client.wait(timeout=60), 0)
        self.assertEqual(self.cell.json("image", "show", "fetched")["receivedBytes"], "0")

    def test_the_client_may_stop_waiting(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.web.pages["/image"] = Page(self.disk, gate=lambda at: at < MIB or gate.wait(20))
        with subprocess.Popen(self.cell.command("image", "import", "fetched", self.web.url()),
                              stderr=subprocess.PIPE, text=True) as client:
            waiting.until(lambda: self.web.requests, 30, "the download to begin")
            client.send_signal(signal.SIGINT)
            error = client.communicate(timeout=30)[1]
        self.assertIn("the import of fetched goes on", error)
        self.assertEqual(client.returncode, 1)
        gate.set()
        self.await_state("ACTIVE")

    # Interruptions.

    def test_a_broken_connection_is_gone_on_with(self):
        self.web.pages["/image"] = lambda handler: handler.serve(
            Page(self.disk, break_after=5 * MIB if len(self.web.requests) == 1 else None))
        self.fetch(self.web.url(), "--sha256", hashlib.sha256(self.disk).hexdigest())
        first, second = self.web.requests_of("/image")
        self.assertNotIn("Range", first)
        self.assertEqual(second["If-Range"], '"v1"')
        self.assertGreater(int(second["Range"].removeprefix("bytes=").rstrip("-")), 4 * MIB)

    def test_a_killed_daemon_goes_on_where_it_was(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        # It comes slowly from here on, or there would be no checkpoint before the end.
        self.web.pages["/image"] = Page(self.disk, gate=lambda at: at < 4 * MIB or gate.wait(0.5))
        self.fetch(self.web.url(), "--no-wait", "--sha256", hashlib.sha256(self.disk).hexdigest())
        waiting.until(lambda: any(file.endswith(".checkpoint")
                                  for file in self.cell.instance_files("")), 30,
                      "a checkpoint", describe=self.cell.log_tail)
        self.cell.kill()
        gate.set()
        self.cell.start()
        self.await_state("ACTIVE")
        resumed = self.web.requests_of("/image")[-1]
        self.assertGreater(int(resumed["Range"].removeprefix("bytes=").rstrip("-")), 4 * MIB)

    def test_a_stopped_daemon_goes_on_where_it_was(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.web.pages["/image"] = Page(self.disk, gate=lambda at: at < 6 * MIB or gate.wait(0.5))
        self.fetch(self.web.url(), "--no-wait")

        def received():
            image = self.cell.json("image", "show", "fetched")
            return int(image.get("receivedBytes", 0)) >= 4 * MIB
        waiting.until(received, 30, "most of it to come", describe=self.cell.log_tail)
        self.cell.stop()
        self.assertEqual(self.cell.daemon.returncode, 0, self.cell.log_tail())
        gate.set()
        self.cell.start()
        self.await_state("ACTIVE")
        resumed = self.web.requests_of("/image")[-1]
        self.assertGreaterEqual(int(resumed["Range"].removeprefix("bytes=").rstrip("-")), 4 * MIB)

    def test_a_file_that_changed_meanwhile_comes_whole(self):
        other = self.disk[:-1] + b"x"
        self.web.pages["/image"] = lambda handler: handler.serve(
            Page(self.disk, break_after=5 * MIB) if len(self.web.requests) == 1
            else Page(other, etag='"v2"'))
        self.fetch(self.web.url())
        self.assertEqual(self.cell.json("image", "show", "fetched")["sha256"],
                         hashlib.sha256(other).hexdigest())

    def test_an_image_is_deleted_while_it_is_fetched(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.web.pages["/image"] = Page(self.disk, gate=lambda at: at < MIB or gate.wait(30))
        self.fetch(self.web.url(), "--no-wait")
        waiting.until(lambda: self.web.requests, 30, "the download to begin")
        self.cell.cli("image", "delete", "fetched")
        waiting.until(lambda: len(self.cell.json("image", "list")) == 1, 30, "the image to go",
                      describe=self.cell.log_tail)

    # Bad servers.

    def test_addresses_of_the_host_and_its_neighbours_are_refused(self):
        inner = WebServer("127.0.0.2")
        self.addCleanup(inner.close)
        inner.pages["/image"] = Page(self.disk)
        for url in (inner.url(), inner.url(host="127.2"), inner.url(host="[::ffff:127.0.0.2]"),
                    "http://10.64.0.1/image", "http://169.254.169.254/latest", "http://[fe80::1]/",
                    "http://[::1]:9/", "http://192.168.0.1/", "http://0.0.0.0/"):
            with self.subTest(url):
                self.fails(url, names=["images are not fetched from there", "allowed_addresses"])
        for target in (inner.url(), "http://10.0.0.1/"):
            self.web.pages["/image"] = redirect(target)
            with self.subTest(redirect=target):
                self.fails(self.web.url(), names="images are not fetched from there")
        self.assertEqual(inner.requests, [])

    def test_names_are_judged_by_the_address_behind_them(self):
        with open("/etc/hosts", encoding="utf-8") as file:
            self.assertIn("localhost", file.read())
        web = WebServer("127.0.0.1")
        self.addCleanup(web.close)
        web.pages["/image"] = Page(self.disk)
        # localhost may be ::1 as well, which is not allowed, and 127.0.0.1, which is.
        self.assertIn("ACTIVE", self.fetch(web.url(host="localhost")))
        self.cell.cli("image", "delete", "fetched")

    def test_redirects_to_files_and_in_circles_are_refused(self):
        for target, names in (("file:///etc/passwd", "neither http:// nor https://"),
                              ("ftp://127.0.0.1/x", "neither http:// nor https://"),
                              ("http://u:p@127.0.0.1/", "user and password"),
                              ("/image", "redirects in a circle")):
            self.web.pages["/image"] = redirect(target)
            with self.subTest(target):
                self.fails(self.web.url(), names=names)
        for number in range(10):
            self.web.pages[f"/{number}"] = redirect(f"/{number + 1}")
        self.fails(self.web.url("/0"), names="redirects more than 5 times")

    def test_https_does_not_fall_back_to_http(self):
        web = WebServer(certificate=self.certificate)
        self.addCleanup(web.close)
        web.pages["/image"] = redirect(self.web.url())
        self.web.pages["/image"] = Page(self.disk)
        self.fails(web.url(), names="from https to http")
        self.assertEqual(self.web.requests, [])

    def test_certificates_of_unknown_authorities_are_refused(self):
        other = self.folder / "other"
        other.mkdir()
        certificate, _ = make_certificate(other)
        web = WebServer(certificate=certificate)
        self.addCleanup(web.close)
        web.pages["/image"] = Page(self.disk)
        self.fails(web.url(), names="cannot prove who it is")

    def test_an_endless_download_ends(self):
        self.web.pages["/image"] = endless
        self.fails(self.web.url(), names=["more than 32 MiB", "max_image_mib"])

    def test_an_announcement_over_the_limit_is_refused_before_it_comes(self):
        self.web.pages["/image"] = Page(self.disk, length=1 << 60)
        self.fails(self.web.url(), names=["more than 32 MiB"])
        self.assertEqual(len(self.web.requests), 1)

    def test_a_cut_download_without_an_end_is_given_up(self):
        self.web.pages["/image"] = Page(self.disk, break_after=MIB // 2, ranges=False)
        self.fails(self.web.url(), names="given up after 2 attempts")

    def test_wrong_content_is_refused(self):
        for content, names in ((b"<html>Sorry</html>", "the image"),
                               (b"", "empty"),
                               (b"\x1f\x8b\x08" + bytes(4096), "")):
            self.web.pages["/image"] = Page(content)
            with self.subTest(content[:10]):
                self.fails(self.web.url(), names=names)
        self.web.pages["/image"] = Page(self.disk, headers={"Content-Encoding": "gzip"})
        self.fails(self.web.url(), names="encoded")
        self.web.pages["/image"] = Page(self.disk)
        self.fails(self.web.url(), "--sha256", "0" * 64, names=["sha256", "was expected"])

    def test_a_backing_file_does_not_come_in_from_a_url_either(self):
        file = self.folder / "backed"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw",
                        file, "1M"], check=True)
        self.web.pages["/image"] = Page(file.read_bytes())
        self.fails(self.web.url(), names="backing file")

    def test_what_a_server_refuses_is_told(self):
        for status, names in ((404, "is not there"), (403, "not open to everybody"),
                              (401, "not open to everybody"), (500, "given up after 2 attempts"),
                              (418, "HTTP 418")):
            self.web.pages["/image"] = Page(b"x", status=status)
            with self.subTest(status):
                self.fails(self.web.url("/image"), names=names)
        self.fails("http://127.0.0.1:1/", names="given up after 2 attempts")

    def test_bad_urls_are_refused_before_anything_is_made(self):
        for url in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://u:p@127.0.0.1/",
                    "http://127.0.0.1/#x", "gopher://127.0.0.1/"):
            with self.subTest(url):
                self.refused("image", "import", "fetched", url, names="url:", code=1)
        self.refused("image", "show", "fetched", names="fetched", code=3)

    def test_a_failed_name_is_used_again(self):
        self.refused("image", "import", "fetched", self.web.url("/no"), names="not there", code=1)
        self.web.pages["/image"] = Page(self.disk)
        self.assertIn("ACTIVE", self.fetch(self.web.url()))

    # Metadata and visibility.

    def test_what_is_said_of_an_image_is_changed_and_checked(self):
        self.web.pages["/image"] = Page(self.disk)
        self.fetch(self.web.url())
        self.cell.cli("image", "update", "fetched", "--public", "--min-memory", "32MiB",
                      "--property", "os_distro=debian", "--property", "os_version=12")
        image = self.cell.json("image", "show", "fetched")
        self.assertEqual(image["properties"], {"os_distro": "debian", "os_version": "12"})
        self.assertIn("image_build_date", self.cell.cli("image", "show", "fetched"))
        for prop, names in (("colour=blue", "no property after SCS-0102"),
                            ("hw_disk_bus=scsi", "virtio"), ("architecture=aarch64", "x86_64"),
                            ("image_build_date=yesterday", "YYYY-MM-DD")):
            self.refused("image", "update", "fetched", "--property", prop, names=names, code=1)
        self.cell.cli("image", "update", "fetched", "--private")
        self.assertIn("private", self.cell.cli("image", "list"))

    def test_public_images_boot_in_other_projects_and_private_ones_are_not_seen(self):
        self.cell.cli("project", "create", "town")
        self.web.pages["/image"] = Page(self.disk)
        self.fetch(self.web.url())
        town = ["instance", "create", "guest", "--flavor", "tiny", "--no-network", "--project",
                "town", "--image"]
        hidden = self.refused(*town, "projects/default/images/fetched", names="there is no image")
        missing = self.refused(*town, "projects/default/images/missing", names="there is no image")
        self.assertEqual(hidden.replace("fetched", "missing"), missing)
        self.assertNotIn("fetched", self.cell.cli("image", "list", "--project", "town"))
        self.cell.cli("image", "update", "fetched", "--public")
        self.assertIn("fetched", self.cell.cli("image", "list", "--project", "town"))
        self.assertNotIn("fetched", self.cell.cli("image", "list", "--project", "town", "--own"))
        self.cell.cli(*town, "projects/default/images/fetched", "--wait", "--timeout", "90")
        guest = self.cell.json("instance", "show", "guest", "--project", "town")
        self.assertEqual(guest["image"], "projects/default/images/fetched")
        self.refused("image", "delete", "fetched",
                     names=["is used by", "1 instance of other projects"])
        self.cell.cli("instance", "delete", "guest", "--project", "town", "--wait")
        self.cell.cli("project", "delete", "town")


class LeftOverFiles(CellCase):
    configuration = {"images": {"collect_after_seconds": 2}}

    def test_files_without_a_record_go_and_those_that_a_disk_needs_stay(self):
        guest = self.book("guest", "--stopped", wait=False)
        self.await_phase("guest", "STOPPED")
        tiny = self.cell.json("image", "show", "tiny")["uid"]
        images, incoming = self.cell.storage / "images", self.cell.storage / "incoming"
        unclaimed = "0badc0de-0000-4000-8000-00000000000a"
        half = "0badc0de-0000-4000-8000-00000000000b"
        (images / f"{unclaimed}.raw").write_bytes(bytes(4096))
        (incoming / f"{half}.resumable").write_bytes(bytes(4096))
        (images / "somebody-elses.txt").write_text("not ours")

        def collected():
            return not self.cell.instance_files(unclaimed) and not self.cell.instance_files(half)
        waiting.until(collected, 60, "the left-overs to go", describe=self.cell.log_tail)
        self.assertTrue(self.cell.instance_files(tiny))
        self.assertTrue((images / "somebody-elses.txt").exists())
        types = {(event["type"], event["uid"]) for event in self.cell.events("--project", "-")}
        for uid in (unclaimed, half):
            self.assertIn(("ImageFilesUnclaimed", uid), types)
            self.assertIn(("ImageFilesCollected", uid), types)
        self.cell.cli("instance", "start", "guest", "--wait")
        self.await_greeting(guest["uid"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
