"""What callers get wrong, by mistake or on purpose: a clear error that names the field, nothing
half-created, nothing leaked, and the daemon goes on."""

import os
import pathlib
import secrets
import unittest

import grpc

from lab import api, machine, processes
from lab.case import CellCase

HOSTILE = ("../../etc/passwd", "nul\0in-it", "qu'o\"te", "<xml/>", "--leading", "-", "",
           "UPPER", "a" * 64, "tail-", "sp ace", "new\nline", "ümlaut", "$(id)", "%s%n",
           "x" * 1_000_000)
FIELDS = ("parent", "instance_id", "flavor", "image", "network", "ssh_key", "label", "request_id")


class BadInput(CellCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.nothing_was_made)
        self.messages = api.module("instances_pb2")
        self.channel = api.channel(self.cell)
        self.addCleanup(self.channel.close)
        self.stub = api.module("instances_pb2_grpc").InstancesStub(self.channel)

    def nothing_was_made(self):
        self.assertEqual(self.cell.json("instance", "list"), [])
        self.assertEqual(self.cell.stored_keys("instance/"), [])
        self.assertEqual(self.cell.stored_keys("userdata/"), [])
        self.assertEqual((machine.domains(), processes.qemus()), ({}, {}))
        self.assertEqual(list((self.cell.storage / "instances").glob("*")), [])
        self.assertIsNone(self.cell.daemon.poll(), self.cell.log_tail())
        self.assertEqual(int(self.cell.json("host", "list")[0]["use"]["instances"]), 0)

    def create(self, *more):
        return ["instance", "create", "web", "--image", "tiny", *more]

    def test_unknown_flavor_is_named(self):
        self.refused(*self.create("--flavor", "no-such"), names=["flavor", "no-such"])

    def test_unknown_image_is_named(self):
        self.refused("instance", "create", "web", "--flavor", "tiny", "--image", "no-such",
                     names=["image", "no-such"])

    def test_unknown_network_is_named(self):
        self.refused(*self.create("--flavor", "tiny", "--network", "no-such"),
                     names=["network", "no-such"])

    def test_name_that_is_no_dns_label_is_refused_with_the_rule(self):
        for name in ("Web_1", "web.", "1" * 64, "web/../1"):
            with self.subTest(name):
                self.refused("instance", "create", name, "--flavor", "tiny", "--image", "tiny",
                             names="63")

    def test_request_that_fits_no_host_says_what_is_short_and_how_much_there_is(self):
        self.cell.cli("flavor", "create", "vast", "--vcpus", "1", "--memory", "4096GiB")
        self.addCleanup(self.cell.cli, "flavor", "delete", "vast")
        message = self.refused(*self.create("--flavor", "vast"), names="memory", code=7)
        self.assertRegex(message, r"\d")

    def test_every_mistake_is_reported_at_once_with_its_field(self):
        message = self.refused("instance", "create", "Web_1", "--flavor", "no-such", "--image",
                               "tiny", "--label", "Bad Key=x", "--label", "tier=a b",
                               names=["instance_id", 'labels["Bad Key"]', 'labels["tier"]'])
        self.assertIn("instance_id", message)

    def test_user_data_over_the_limit_is_refused_by_the_cli_and_by_the_server(self):
        file = pathlib.Path(os.environ["STELLWERK_LAB"]) / "large"
        file.write_bytes(b"#" * 65537)
        self.refused(*self.create("--flavor", "tiny", "--user-data", file), names="65536 bytes")
        request = self.request()
        request.instance.user_data = b"#" * 65537
        self.assert_refused(request, "user_data")

    def request(self):
        request = self.messages.CreateInstanceRequest(parent="projects/default",
                                                      instance_id="web")
        request.instance.flavor = "flavors/tiny"
        request.instance.image = "projects/default/images/tiny"
        return request

    def assert_refused(self, request, field):
        with self.assertRaises(grpc.RpcError) as refusal:
            self.stub.CreateInstance(request, timeout=30)
        self.assertIn(refusal.exception.code(), (
            grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.RESOURCE_EXHAUSTED), f"{field}: {refusal.exception.details()}")
        self.assertLess(len(refusal.exception.details()), 2000)
        return refusal.exception

    def put(self, request, field, text):
        """False if protobuf itself cannot carry it or it is a fine value there."""
        instance = request.instance
        if field in ("parent", "instance_id", "request_id"):
            setattr(request, field, text)
            return not (field == "request_id" and text == "")
        if field in ("flavor", "image"):
            prefix = "flavors/" if field == "flavor" else "projects/default/images/"
            setattr(instance, field, prefix + text)
        elif field == "network":
            instance.network_interfaces.add().network = "projects/default/networks/" + text
        elif field == "ssh_key":
            instance.ssh_keys.append(text)
        elif field == "label":
            instance.labels[text] = "value"
        return not (field == "label" and text in ("UPPER", "a" * 64))

    def test_hostile_strings_in_every_field_are_refused(self):
        for field in FIELDS:
            for text in HOSTILE:
                request = self.request()
                if not self.put(request, field, text):
                    continue
                with self.subTest(field=field, text=text[:20]):
                    refusal = self.assert_refused(request, field)
                    self.assertIn(field.encode(), api.details_of(refusal))

    def test_hostile_strings_on_the_command_line_are_refused(self):
        for text in ("../../etc/passwd", "qu'o\"te", "<xml/>", "new\nline", "$(id)", "ümlaut"):
            with self.subTest(text):
                self.refused("instance", "create", text, "--flavor", "tiny", "--image", "tiny",
                             names=["instance_id", "63"])
                self.refused("--project", text, "instance", "list", names="parent:")


class Secrets(CellCase):
    def test_user_data_reaches_the_seed_and_neither_log_nor_events_nor_command_lines(self):
        secret = secrets.token_hex(16)
        file = pathlib.Path(os.environ["STELLWERK_LAB"]) / "user-data"
        file.write_text(f"#cloud-config\npassword: {secret}\n", encoding="utf-8")
        uid = self.book("web", "--user-data", file)["uid"]
        self.await_greeting(uid)
        file_of_seed = self.cell.storage / "instances" / uid / "seed.iso"
        self.assertIn(secret.encode(), file_of_seed.read_bytes())
        shown = self.cell.cli("event", "list", "-o", "json")
        self.assertIn("web", shown)
        shown += self.cell.cli("instance", "show", "web", "-o", "json")
        shown += self.cell.log_text() + machine.virsh("dumpxml", uid)
        shown += " ".join(processes.arguments(self.qemus_of(uid)[0]))
        self.assertNotIn(secret, shown)
        self.assertTrue(self.cell.instance("web")["hasUserData"])
        self.assertEqual(file_of_seed.stat().st_mode & 0o077, 0, "others may read the seed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
