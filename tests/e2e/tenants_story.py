"""tenants_story.py IMAGE_FOLDER: two projects on one host, each for itself. In a sandbox."""

import base64
import contextlib
import dataclasses
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lab import cell as cells  # noqa: E402
from lab import frames, machine, processes, spoofs, waiting, wire  # noqa: E402
from lab.ssh import Login  # noqa: E402
from lab.story import NotSeen, Story  # noqa: E402
from lab.terminal import Terminal  # noqa: E402

IMAGE, FLAVOR, DISK_GIB = "debian-12", "town", 3
BOOT_SECONDS = 600
PASSWORD = "town-hall"
MIRROR, MIRROR_ADDRESS, HOST_ADDRESS = "mirror", "10.77.0.2", "10.77.0.1"
# A bridge passes reports of who listens to what on to routers alone.
HELD_BACK = ("group membership", "listener report before there is an address")
# Run inside a guest: sends the frames that come in, one in base64 a line, on the interface named.
SENDER = """
import base64, socket, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
for line in sys.stdin:
    out.send(base64.b64decode(line))
"""


@dataclasses.dataclass
class Port:
    """One port of a guest, as frames name it."""
    mac: str
    ip4: str
    ip6: str
    tap: str


class Guest:
    def __init__(self, cell, project, name, key):
        self.name = name
        shown = cell.json("instance", "show", name, "--project", project)
        self.uid = shown["uid"]
        self.ports = [self.port(i, item) for i, item in enumerate(shown["networkInterfaces"])]
        self.login = Login(key, self.ports[0].ip4)

    def port(self, index, interface):
        found = {":" in address: address for address in interface["ipAddresses"]}
        tap = cells.interface_of(self.uid) + (f"{index:x}" if index else "")
        return Port(interface["macAddress"], found[False], found.get(True, ""), tap)

    def run(self, *words, **options):
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        return subprocess.run(self.login.command(*words), check=False, capture_output=True,
                              text=True, timeout=90, **options)

    def reaches(self, address):
        """Whether somebody answers on the SSH port: refusing is an answer, too."""
        script = f"timeout 4 bash -c '</dev/tcp/{address}/22'"
        result = self.run(script)
        return result.returncode == 0 or "refused" in result.stderr

    def send(self, interface, sent):
        lines = "".join(base64.b64encode(frame).decode() + "\n" for frame in sent)
        result = self.run("sudo", "python3", "-c", f"'{SENDER}'", interface, input=lines)
        if result.returncode != 0:
            raise NotSeen(f"{self.name} sends frames: {result.stderr}")


class Tenants:
    def __init__(self, image):
        self.story = Story()
        self.image = image
        self.cell = cells.Cell("tenants", {
            "hypervisor": {"accel": "auto", "probe_kernel": str(image / "vmlinuz")},
            "network": {"subnet_v6": "fd00:64::/64"},
            "images": {"allowed_addresses": [f"{MIRROR_ADDRESS}/32"]}})
        self.key = self.cell.directory / "key"
        self.at_first = processes.living()
        self.guests = {}
        self.mirror = self.terminal = None

    def stellwerk(self, *words):
        self.story.run(self.cell.command(*words), typed=["stellwerk", *words])

    def begin(self):
        self.story.chapter("One host, two projects, a network of its own for each")
        self.story.show(self.cell.config_file.read_text("utf-8"))
        # Else a host that does not route would keep tenants apart, whatever the firewall does.
        for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            pathlib.Path("/proc/sys/net", setting).write_text("1", encoding="ascii")
        wire.leave_frames_whole()
        self.cell.start()
        Login.make_key(self.key)
        self.stellwerk("project", "create", "blue", "--limit-instances", "2",
                       "--limit-vcpus", "shared=4", "--limit-memory", "2GiB")
        self.stellwerk("project", "create", "green")
        for project, subnet in (("blue", 8), ("green", 9)):
            self.stellwerk("network", "create", "inside", "--subnet", f"10.{subnet}.0.0/24",
                           "--subnet", f"fd00:{subnet}::/64", "--project", project)
        self.stellwerk("network", "list", "--project", "-")
        self.stellwerk("flavor", "create", FLAVOR, "--vcpus", "1", "--memory", "512MiB")

    def start_mirror(self):
        """A web server in a namespace of its own, with the image on it."""
        folder = self.cell.directory / MIRROR
        folder.mkdir()
        shutil.copy(self.image / "disk.qcow2", folder / "debian.qcow2")
        wire.ip("netns", "add", MIRROR)
        wire.ip("link", "add", "mirror0", "type", "veth", "peer", "name", "eth0", "netns", MIRROR)
        wire.ip("address", "add", f"{HOST_ADDRESS}/24", "dev", "mirror0")
        wire.ip("link", "set", "mirror0", "up")
        wire.ip("-n", MIRROR, "address", "add", f"{MIRROR_ADDRESS}/24", "dev", "eth0")
        wire.ip("-n", MIRROR, "link", "set", "eth0", "up")
        self.mirror = subprocess.Popen(
            ["ip", "netns", "exec", MIRROR, "python3", "-m", "http.server", "--bind",
             MIRROR_ADDRESS, "--directory", folder, "8080"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop_mirror(self):
        self.mirror.terminate()
        self.mirror.wait(timeout=30)
        wire.ip("link", "delete", "mirror0")
        wire.ip("netns", "delete", MIRROR)

    def fetch_image(self):
        self.story.chapter("An image comes from a web server, and every project may boot from it")
        self.start_mirror()
        url = f"http://{MIRROR_ADDRESS}:8080/debian.qcow2"
        refused = self.cell.run("image", "import", "forbidden", f"http://{HOST_ADDRESS}:8080/x",
                                "--wait")
        self.story.show(refused.stderr)
        self.story.seen("a private address that the configuration does not allow is not asked",
                        refused.returncode != 0 and HOST_ADDRESS in refused.stderr)
        with contextlib.suppress(AssertionError):
            self.cell.cli("image", "delete", "forbidden")
        self.story.comes("the mirror serves", lambda: subprocess.run(
            ["curl", "-sfI", "-o", "/dev/null", url], check=False).returncode == 0, 30)
        self.stellwerk("image", "import", IMAGE, url, "--public", "--wait")
        image = self.cell.json("image", "show", IMAGE)
        self.story.seen("the image is active, public, and says where it is from",
                        image["state"] == "ACTIVE" and url in str(image))
        self.stop_mirror()

    def book(self):
        self.story.chapter("Each project books; on the shared network, too")
        for project, name in (("blue", "blue-1"), ("blue", "blue-2"), ("green", "green-1")):
            self.stellwerk("instance", "create", name, "--project", project, "--flavor", FLAVOR,
                           "--image", f"projects/default/images/{IMAGE}", "--boot-disk",
                           f"{DISK_GIB}GiB", "--network", "flat", "--network", "inside",
                           "--ssh-key", f"{self.key}.pub", "--wait")
            self.guests[name] = Guest(self.cell, project, name, self.key)
        self.stellwerk("instance", "list", "--project", "-")

    def exceed(self):
        self.story.chapter("A third guest is more than blue may have")
        self.stellwerk("project", "show", "blue")
        words = ["instance", "create", "blue-3", "--project", "blue", "--flavor", FLAVOR,
                 "--image", f"projects/default/images/{IMAGE}"]
        self.story.typed(["stellwerk", *words])
        refused = self.cell.run(*words)
        self.story.show(refused.stderr)
        self.story.seen("it is refused, saying what the limit is and what is left",
                        refused.returncode == 8 and "instances: 1 asked, 0 left of 2"
                        in refused.stderr)
        self.story.seen("nothing of it is left", "blue-3" not in self.cell.cli(
            "instance", "list", "--project", "-"))

    def boot(self):
        self.story.chapter("The guests boot")
        for name, guest in self.guests.items():
            self.story.comes(f"{name} answers SSH", guest.login.answers, BOOT_SECONDS)
        for name, guest in self.guests.items():
            self.story.seen(f"{name} has both its ports' addresses", all(
                address in guest.run("ip", "-br", "address").stdout
                for port in guest.ports for address in (port.ip4, port.ip6)))

    def reach(self):
        self.story.chapter("Guests of one project reach each other, and not the others'")
        one, two, green = (self.guests[name] for name in ("blue-1", "blue-2", "green-1"))
        for where, index in (("the shared network", 0), ("blue's own", 1)):
            for address in (two.ports[index].ip4, two.ports[index].ip6):
                self.story.seen(f"blue-1 reaches blue-2 on {where}: {address}",
                                one.reaches(address))
        for where, index in (("the shared network", 0), ("green's own, by the host", 1)):
            for address in (green.ports[index].ip4, green.ports[index].ip6):
                self.story.seen(f"blue-1 does not reach green-1 on {where}: {address}",
                                not one.reaches(address))
        self.story.seen("nor green-1 blue-1", not green.reaches(one.ports[0].ip4))
        self.story.seen("green-1 is there all the while: it answers the host",
                        green.login.answers())

    def heard(self, tap, sender, interface, sent):
        """Which of the frames, {name: bytes}, come out at the tap, up to an honest last one."""
        capture = wire.Tap(tap)
        try:
            last = list(sent.values())[-1]
            sender.send(interface, sent.values())
            seen = capture.sent_until(last[-16:])
        finally:
            capture.close()
        return [name for name, frame in sent.items()
                if any(each.endswith(frame[-16:]) for each in seen)]

    def spoof(self):
        self.story.chapter("A hostile guest is silent on the wire of the others")
        one, two, green = (self.guests[name] for name in ("blue-1", "blue-2", "green-1"))
        gateway = Port(machine.address_of("stellwerk0"), "10.64.0.1", "fd00:64::1", "stellwerk0")
        me, other = one.ports[0], two.ports[0]
        honest = {name: frame for name, frame in spoofs.honest(me, other).items()
                  if name not in HELD_BACK}
        marker = {"marker": frames.arp(me.mac, 1, me.mac, me.ip4, other.ip4)}
        heard = self.heard(other.tap, one, "eth0", {**honest, **marker})
        self.story.seen(f"on blue-2's port: of {len(honest) + 1} frames that blue-1 sends as "
                        f"itself, {len(heard)}", heard == [*honest, "marker"])
        for name, victim in (("blue-2", other), ("green-1", green.ports[0])):
            hostile = spoofs.hostile(me, victim, gateway)
            heard = self.heard(victim.tap, one, "eth0", {**hostile, **marker})
            self.story.seen(f"on {name}'s port: of {len(hostile)} frames that blue-1 sends as "
                            "another, as a router, as a DHCP server or in a VLAN, none",
                            heard == ["marker"])

    def attach(self):
        self.story.chapter("An engineer sits down at blue-1's console, in a terminal")
        self.story.seen("there is a password to log in with", self.guests["blue-1"].run(
            "sudo", "chpasswd", input=f"debian:{PASSWORD}").returncode == 0)
        self.terminal = Terminal(self.cell.directory / "tmux")
        self.terminal.run(self.cell.command("instance", "console", "blue-1", "--project", "blue"))
        self.terminal.type("Enter")
        for prompt, answer in ((r"login: *$", "debian"), (r"Password: *$", PASSWORD)):
            self.story.comes(f"the console shows {prompt.split(':')[0]}:",
                             lambda p=prompt: self.terminal.shows(p), BOOT_SECONDS)
            self.terminal.type(answer, "Enter")
        self.story.comes("debian is logged in",
                         lambda: self.terminal.shows(r"debian@blue-1:~\$ *$"), BOOT_SECONDS)
        self.terminal.type("echo $((6 * 7)) answers", "Enter")
        self.story.comes("what is typed is carried out", lambda: self.terminal.shows("42 answers"),
                         60)
        self.story.show(self.terminal.last_lines(4))
        self.terminal.type("C-]")
        self.story.comes("Ctrl-] leads back to the engineer's own shell",
                         lambda: self.terminal.shows(r"left\]"), 30)
        self.terminal.end()
        self.story.seen("the log has kept what was said",
                        "42 answers" in self.cell.cli("instance", "log", "blue-1", "--project",
                                                      "blue"))

    def delete(self):
        self.story.chapter("All is deleted; nothing is left")
        for guest in self.guests.values():
            guest.login.hang_up()
        for project, name in (("blue", "blue-1"), ("blue", "blue-2"), ("green", "green-1")):
            self.stellwerk("instance", "delete", name, "--project", project, "--wait")
        for project in ("blue", "green"):
            self.stellwerk("network", "delete", "inside", "--project", project)
            self.story.comes(f"{project}'s network is gone", lambda p=project: self.cell.run(
                "network", "show", "inside", "--project", p).returncode == 3, 60)
            self.stellwerk("project", "delete", project)
        self.stellwerk("image", "delete", IMAGE)
        left = [name for name in machine.interfaces() if name.startswith(cells.INTERFACE_PREFIX)]
        self.story.seen("no port and no bridge of theirs is left", not left)
        self.story.end(self.cell, self.at_first)

    def tell(self):
        self.begin()
        self.fetch_image()
        self.book()
        self.exceed()
        self.boot()
        self.reach()
        self.spoof()
        self.attach()
        self.delete()
        self.story.chapter(f"All {self.story.claims} claims were seen to hold")


def main():
    tenants = Tenants(pathlib.Path(sys.argv[1]))
    try:
        tenants.tell()
    except (NotSeen, AssertionError, waiting.TookTooLong, subprocess.SubprocessError) as problem:
        tenants.story.failed(problem)
        print(tenants.cell.log_tail())
        if tenants.terminal:
            print("The terminal:\n" + tenants.terminal.screen())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
