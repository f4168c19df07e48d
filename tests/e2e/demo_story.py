"""demo_story.py IMAGE_FOLDER: one instance's life, from booking to nothing left. In a sandbox."""

import json
import pathlib
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lab import cell as cells  # noqa: E402
from lab import machine, processes, waiting  # noqa: E402
from lab.ssh import Login  # noqa: E402
from lab.story import NotSeen, Story  # noqa: E402

NAME, IMAGE, FLAVOR, DISK_GIB = "web-1", "debian-12", "SCS-2V-4", 6
BOOT_SECONDS = 420
CLOUD_INIT_END = re.compile(r"Cloud-init v\..* finished at")
USER_DATA = """#cloud-config
write_files:
  - path: /etc/motd
    content: "booked with Stellwerk\\n"
"""


class Demonstration:
    def __init__(self, image):
        self.story = Story()
        self.image = image
        self.cell = cells.Cell("demo", {
            "hypervisor": {"accel": "auto", "probe_kernel": str(image / "vmlinuz")}})
        self.key = self.cell.directory / "key"
        self.uid = self.address = self.login = None
        self.at_first = processes.living()

    def stellwerk(self, *words):
        self.story.run(self.cell.command(*words), typed=["stellwerk", *words])

    def inside(self, *words, timeout=60):
        """What a command inside the guest says."""
        return self.story.read(self.login.command(*words), timeout=timeout,
                               typed=["ssh", self.login.target(), *words])

    def boot_id(self):
        return self.inside("cat", "/proc/sys/kernel/random/boot_id").strip()

    def qemu(self):
        """[(pid, start)]: a pid alone may be another process's by now."""
        return [(pid, processes.start_ticks(pid))
                for pid in processes.qemus().get(self.uid, [])]

    def console(self):
        folder = self.cell.storage / "instances" / str(self.uid)
        return machine.console(folder / "console.log")

    def traces(self):
        """Everything that an instance is, wherever it can be seen."""
        return {
            "domain": [name for uuid, name in machine.domains().items() if uuid == self.uid],
            "disk file": self.cell.instance_files(self.uid),
            "bridge port": [port for port in machine.bridge_ports("stellwerk0")
                            if port == cells.interface_of(self.uid)],
            "network interface": [name for name in machine.interfaces()
                                  if name == cells.interface_of(self.uid)],
            "address": ["it answers"] if answers(self.address) else [],
            "instance in the CLI's list": [item["name"] for item in
                                           self.cell.json("instance", "list")
                                           if item["uid"] == self.uid],
            "instance row in SQLite": self.cell.stored_keys(f"instance/{self.uid}"),
            "user-data in SQLite": self.cell.stored_keys(f"userdata/{self.uid}"),
            "QEMU process": [pid for pid, _ in self.qemu()],
            "claim on the host": [host["name"] for host in self.cell.json("host", "list")
                                  if int(host["use"]["instances"]) > 0],
        }

    def start_daemon(self):
        self.story.typed(["stellwerkd", "all", "--config", self.cell.config_file.name])
        self.cell.start()

    def begin(self):
        self.story.chapter("stellwerkd on its embedded default: SQLite, local disks, libvirt, QEMU")
        self.story.show(self.cell.config_file.read_text("utf-8"))
        self.story.run([cells.BINARIES / "stellwerkd", "check-config", "--config",
                        self.cell.config_file],
                       typed=["stellwerkd", "check-config", "--config",
                              self.cell.config_file.name])
        self.story.seen("no domain runs and there is no bridge yet",
                        not machine.domains() and "stellwerk0" not in machine.interfaces())
        self.start_daemon()
        self.stellwerk("host", "list")
        Login.make_key(self.key)
        (self.cell.directory / "user-data").write_text(USER_DATA, encoding="utf-8")

    def book(self):
        self.story.chapter("An image is imported, an instance booked")
        self.stellwerk("image", "import", IMAGE, self.image / "disk.qcow2")
        self.stellwerk("instance", "create", NAME, "--flavor", FLAVOR, "--image", IMAGE,
                       "--boot-disk", f"{DISK_GIB}GiB", "--ssh-key", f"{self.key}.pub",
                       "--user-data", self.cell.directory / "user-data", "--wait")
        self.stellwerk("instance", "show", NAME)
        booked = self.cell.instance(NAME)
        self.uid, self.address = booked["uid"], booked["networkInterfaces"][0]["ipAddress"]
        self.login = Login(self.key, self.address)
        self.story.seen("the instance runs, says the host", booked["phase"] == "PHASE_RUNNING")
        self.stellwerk("event", "list", "--instance", NAME)
        self.check_phases([event["message"].split(":")[0]
                           for event in self.cell.events("--instance", NAME)
                           if event["type"] == "PhaseChanged"])

    def check_phases(self, told):
        """Transitions between two commits are told as one, so not every phase has an event."""
        self.story.seen(f"its events tell of the phases {', '.join(told)}",
                        told and set(told[:-1]) & {"pending", "preparing", "starting"})
        self.story.seen("and the last of them is running", told[-1] == "running")

    def log_in(self):
        self.story.chapter("The guest boots: SeaBIOS, kernel, systemd, cloud-init, SSH")
        self.story.comes("it says on the serial console that cloud-init has ended",
                         lambda: CLOUD_INIT_END.search(self.console()), BOOT_SECONDS)
        self.story.comes("it answers SSH with the key that was booked", self.login.answers,
                         BOOT_SECONDS)
        # What `cloud-init status` would say after seconds of Python on an emulated processor.
        result = json.loads(self.inside("cat", "/run/cloud-init/result.json"))
        self.story.seen("cloud-init has found no error", result["v1"]["errors"] == [])
        self.story.seen("it is Debian 12", 'VERSION_ID="12"' in self.inside(
            "cat", "/etc/os-release"))
        self.story.seen("its host name is the instance's", self.inside("hostname").strip() == NAME)
        self.story.seen("user-data took effect", "booked with" in self.inside("cat", "/etc/motd"))
        self.story.seen("its machine UUID is the instance's uid", self.inside(
            "sudo", "cat", "/sys/class/dmi/id/product_uuid").strip().lower() == self.uid)
        size = int(self.inside("lsblk", "-bdno", "SIZE", "/dev/vda"))
        self.story.seen(f"its disk has the {DISK_GIB} GiB that were booked", size == DISK_GIB << 30)

    def lose_the_daemon(self):
        self.story.chapter("The daemon is killed; the guest does not notice")
        before, boot = self.qemu(), self.boot_id()
        self.story.seen("one QEMU process runs the guest", len(before) == 1)
        self.story.typed(["kill", "-9", self.cell.daemon.pid])
        self.cell.kill()
        self.story.seen("the daemon was killed", self.cell.daemon.returncode == -signal.SIGKILL)
        self.story.seen("nobody answers the CLI", self.cell.run("host", "list").returncode == 5)
        self.story.seen("meanwhile, the guest's process goes on", self.qemu() == before)
        self.story.seen("meanwhile, the same boot goes on inside", self.boot_id() == boot)
        self.start_daemon()
        self.story.comes("the daemon sees it running again", lambda: self.cell.instance(NAME)[
            "phase"] == "PHASE_RUNNING", 60)
        self.story.seen(f"it is the same QEMU process, {before[0][0]}", self.qemu() == before)
        self.story.seen("and the same boot", self.boot_id() == boot)
        return boot

    def manage_again(self, boot):
        self.story.chapter("It is managed as before: stop and start")
        self.login.hang_up()
        self.stellwerk("instance", "stop", NAME, "--wait")
        self.story.seen("it is stopped", self.cell.instance(NAME)["phase"] == "PHASE_STOPPED")
        self.story.seen("no QEMU process runs it", not self.qemu())
        self.stellwerk("instance", "start", NAME, "--wait")
        self.story.seen("it runs", self.cell.instance(NAME)["phase"] == "PHASE_RUNNING")
        self.story.seen("one QEMU process runs it again", len(self.qemu()) == 1)
        self.story.comes("it answers SSH again", self.login.answers, BOOT_SECONDS)
        self.story.seen("this is another boot", self.boot_id() != boot)
        self.story.seen("of the same disk", "booked with" in self.inside("cat", "/etc/motd"))
        self.login.hang_up()

    def delete(self):
        self.story.chapter("It is deleted; nothing of it is left")
        for kind, found in self.traces().items():
            self.story.seen(f"before: {kind}: {', '.join(map(str, found))}", found)
        self.stellwerk("instance", "delete", NAME, "--wait")
        for kind, found in self.traces().items():
            self.story.seen(f"no {kind}", not found)
        self.stellwerk("image", "delete", IMAGE)
        self.story.end(self.cell, self.at_first)

    def tell(self):
        self.begin()
        self.book()
        self.log_in()
        self.manage_again(self.lose_the_daemon())
        self.delete()
        self.story.chapter(f"All {self.story.claims} claims were seen to hold")


def answers(address):
    """True if somebody has this address: refusing a connection is an answer, too."""
    try:
        with socket.create_connection((address, 22), timeout=5):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False


def main():
    demonstration = Demonstration(pathlib.Path(sys.argv[1]))
    try:
        demonstration.tell()
    except (NotSeen, AssertionError, waiting.TookTooLong, subprocess.SubprocessError) as problem:
        demonstration.story.failed(problem)
        print(demonstration.cell.log_tail())
        print("The guest's last words:\n" + demonstration.console()[-3000:])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
