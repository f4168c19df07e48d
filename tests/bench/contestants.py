"""The same steps, done by Stellwerk and done by hand.

Each contestant has create, stop, start and delete: the call returns when the step has been seen to
be done. What only prepares a step has a method of its own and is not measured."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import threading
import uuid
from xml.etree import ElementTree

import grpc

import sheet
from lab import api, machine, waiting
from lab import cell as cells
from lab.case import GREETING, TINY_FLAVOR, TINY_IMAGE, make_tiny, make_tiny_image

PATIENCE = 90
PROJECT = "projects/default"
SEED = {"meta-data": "instance-id: {uid}\nlocal-hostname: {name}\n",
        "user-data": "#cloud-config\n{{}}\n",
        "network-config": "version: 2\nethernets:\n  port0:\n    match:\n"
                          "      macaddress: \"{mac}\"\n    dhcp4: true\n"}


class Watch:
    """One stream of events; whoever waits looks again after each."""

    def __init__(self, channel, cell):
        self.cell = cell
        events = api.module("events_pb2")
        stub = api.module("events_pb2_grpc").EventsStub(channel)
        self.changed = threading.Condition()
        self.seen = 0
        self.stream = stub.WatchEvents(events.WatchEventsRequest(parent=PROJECT))
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()
        # The first answer says that nothing is missed from now on.
        self.until(lambda: self.seen > 0, "the first answer of WatchEvents")

    def follow(self):
        try:
            for _ in self.stream:
                self.note()
        except grpc.RpcError:
            self.note()  # it was closed, or the daemon has ended: whoever waits looks

    def note(self):
        with self.changed:
            self.seen += 1
            self.changed.notify_all()

    def until(self, condition, what):
        """`condition` is asked at once and after every event."""
        while True:
            with self.changed:
                seen = self.seen
            value = condition()
            if value:
                return value
            with self.changed:
                if not self.changed.wait_for(lambda: self.seen > seen, PATIENCE):
                    raise waiting.TookTooLong(f"no event for {PATIENCE} s; waiting for {what}")
            if self.cell.daemon.poll() is not None:
                raise waiting.TookTooLong(f"stellwerkd has ended; waiting for {what}")

    def close(self):
        self.stream.cancel()
        self.reader.join(timeout=10)


class Ours:
    """Through one long-lived gRPC connection, as a control plane would."""

    def __init__(self, cell):
        self.cell = cell
        self.messages = api.module("instances_pb2")
        self.channel = api.channel(cell)
        self.service = api.module("instances_pb2_grpc").InstancesStub(self.channel)
        self.watch = Watch(self.channel, cell)
        self.uids = {}

    def close(self):
        self.watch.close()
        self.channel.close()

    def look(self, name):
        """The instance; None if there is none."""
        request = self.messages.GetInstanceRequest(name=f"{PROJECT}/instances/{name}")
        try:
            return self.service.GetInstance(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise
            return None

    def call(self, method, request, name, done, what):
        getattr(self.service, method)(request(request_id=str(uuid.uuid4())), timeout=PATIENCE)
        self.watch.until(lambda: done(self.look(name)), f"{name} to {what}")

    def is_in(self, phase):
        number = self.messages.Instance.Phase.Value(f"PHASE_{phase}")
        return lambda found: found is not None and found.phase == number

    def create(self, name):
        wanted = self.messages.Instance(flavor=f"flavors/{TINY_FLAVOR}",
                                        image=f"{PROJECT}/images/{TINY_IMAGE}")
        self.call("CreateInstance", lambda **more: self.messages.CreateInstanceRequest(
            parent=PROJECT, instance_id=name, instance=wanted, **more), name,
            self.is_in("RUNNING"), "run")

    def stop(self, name):
        self.change("Stop", name, self.is_in("STOPPED"), "stop")

    def start(self, name):
        self.change("Start", name, self.is_in("RUNNING"), "run again")

    def delete(self, name):
        self.change("Delete", name, lambda found: found is None, "be gone")

    def change(self, verb, name, done, what):
        request = getattr(self.messages, f"{verb}InstanceRequest")
        self.call(f"{verb}Instance", lambda **more: request(
            name=f"{PROJECT}/instances/{name}", **more), name, done, what)

    def await_boot(self, name):
        uid = self.look(name).uid
        file = self.cell.storage / "instances" / uid / "console.log"
        waiting.until(lambda: GREETING + uid in machine.console(file), PATIENCE,
                      f"{name} to greet", describe=self.cell.log_tail)


class ByCli(Ours):
    """The command line with --wait: a new process and connection for every step."""

    def create(self, name):
        self.cell.cli("instance", "create", name, "--flavor", TINY_FLAVOR, "--image", TINY_IMAGE,
                      "--wait", "--timeout", PATIENCE)

    def change(self, verb, name, done, what):
        self.cell.cli("instance", verb.lower(), name, "--wait", "--timeout", PATIENCE)


class ByHand:
    """qemu-img, genisoimage and virsh, on the same image and bridge, from the same domain XML."""

    def __init__(self, directory, cell, example):
        """`example` is the uid of a guest of ours that runs: its XML and its disk are copied."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.xml = machine.virsh("dumpxml", example)
        disk = cell.storage / "instances" / example / "disk.qcow2"
        facts = json.loads(machine.output("qemu-img", "info", "--force-share", "--output=json",
                                          str(disk)))
        self.image = pathlib.Path(facts["full-backing-filename"]).resolve()
        self.image_format = facts["backing-filename-format"]
        self.size = facts["virtual-size"]
        self.guests = {}  # name: (uid, folder)

    def close(self):
        """What an interrupted run has left."""
        for uid, folder in self.guests.values():
            subprocess.run([*VIRSH, "destroy", uid], capture_output=True, check=False)
            shutil.rmtree(folder, ignore_errors=True)

    def prepare(self, name):
        """Names, addresses and files that the steps need, written down before they begin."""
        uid = str(uuid.uuid4())
        folder = self.directory / uid
        folder.mkdir()
        mac = "52:54:00:" + ":".join(uid[i:i + 2] for i in (0, 2, 4))
        for file, text in SEED.items():
            (folder / file).write_text(text.format(uid=uid, name=name, mac=mac), encoding="utf-8")
        (folder / "domain.xml").write_text(self.domain(name, uid, mac, folder), encoding="utf-8")
        self.guests[name] = (uid, folder)

    def domain(self, name, uid, mac, folder):
        root = ElementTree.fromstring(self.xml)
        root.attrib.pop("id", None)
        for tag in ("metadata", "seclabel"):
            for element in root.findall(tag):
                root.remove(element)
        root.find("name").text = f"hand-{name}"
        root.find("uuid").text = uid
        devices = root.find("devices")
        files = [folder / "disk.qcow2", folder / "seed.iso"]
        for disk, file in zip(devices.findall("disk"), files, strict=True):
            disk.find("source").attrib = {"file": str(file)}
            for backing in disk.findall("backingStore"):
                disk.remove(backing)
        for port in devices.findall("interface"):
            port.find("mac").set("address", mac)
            port.find("target").set("dev", "hand" + uid[:8])
        for console in devices.findall("console"):
            devices.remove(console)
        serial = devices.find("serial")
        serial.find("source").set("path", str(folder / "s"))
        ElementTree.SubElement(serial, "log", {"file": str(folder / "console"), "append": "off"})
        return ElementTree.tostring(root, encoding="unicode")

    def create(self, name):
        _, folder = self.guests[name]
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", self.image, "-F", self.image_format,
            folder / "disk.qcow2", self.size)
        run("genisoimage", "-quiet", "-output", folder / "seed.iso", "-volid", "cidata", "-joliet",
            "-rock", *(folder / file for file in SEED))
        self.start(name)

    def start(self, name):
        run(*VIRSH, "create", self.guests[name][1] / "domain.xml")

    def stop(self, name):
        uid, _ = self.guests[name]
        run(*VIRSH, "shutdown", uid)
        # Asked without a pause.
        for _ in range(PATIENCE * 100):
            asked = subprocess.run([*VIRSH, "domstate", uid], capture_output=True, check=False,
                                   timeout=PATIENCE)
            if asked.returncode != 0:
                return
        raise waiting.TookTooLong(f"{name} does not shut down")

    def delete(self, name):
        uid, folder = self.guests.pop(name)
        run(*VIRSH, "destroy", uid)
        shutil.rmtree(folder)

    def await_boot(self, name):
        uid, folder = self.guests[name]
        waiting.until(lambda: GREETING + uid in machine.console(folder / "console"), PATIENCE,
                      f"{name} to greet")


VIRSH = ("virsh", "-q", "-c", "qemu:///system")


def run(*words):
    done = subprocess.run(list(map(str, words)), check=False, capture_output=True, text=True,
                          timeout=PATIENCE, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr}")


@contextlib.contextmanager
def measured(cell):
    """In this block the cell runs and has the tiny guest's image and flavor; if anything goes wrong
    the daemon's last words are told."""
    try:
        cell.start()
        make_tiny(cell, make_tiny_image())
        yield
    except BaseException:
        sheet.say(cell.log_tail(60))
        raise
    finally:
        cell.stop()


def bench_cell(name, more=None):
    """A cell as on a host in service, with room for many tiny guests."""
    return cells.Cell(name, {
        "daemon": {"log_level": "info"},
        "host": {"memory_mib": 262144, "disk_reserve_mib": 16},
        "placement": {"low_performance_vcpus_per_thread": 256}, **(more or {})})
