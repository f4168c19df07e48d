"""What the sandbox's machine itself says, past Stellwerk: libvirt, interfaces, consoles."""

import contextlib
import json
import subprocess
from xml.etree import ElementTree


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def virsh(*words):
    return output("virsh", "-q", "-c", "qemu:///system", *words)


def domains():
    """{uuid: name} of all domains, running or not."""
    lines = virsh("list", "--all", "--uuid", "--name").split("\n")
    return dict(line.split(None, 1) for line in map(str.strip, lines) if line)


def interfaces():
    return sorted(link["ifname"] for link in json.loads(output("ip", "-json", "link", "show")))


def address_of(interface):
    """Its MAC."""
    return json.loads(output("ip", "-json", "link", "show", "dev", interface))[0]["address"]


def bridge_ports(bridge):
    links = json.loads(output("ip", "-json", "link", "show", "master", bridge))
    return sorted(link["ifname"] for link in links)


def link(name):
    """What `ip` knows of one interface; None if there is none."""
    found = [one for one in json.loads(output("ip", "-json", "-details", "address", "show"))
             if one["ifname"] == name]
    return found[0] if found else None


def addresses(name):
    """["10.8.0.1/24", ...] of one interface, without its link-local ones."""
    return sorted(f"{info['local']}/{info['prefixlen']}" for info in link(name)["addr_info"]
                  if info["scope"] != "link")


def ports_of(uuid):
    """[(tap, bridge, MAC)] of a domain, in its order."""
    devices = ElementTree.fromstring(virsh("dumpxml", uuid)).findall("devices/interface")
    return [(one.find("target").get("dev"), one.find("source").get("bridge"),
             one.find("mac").get("address")) for one in devices]


def console(path):
    """What is kept of what a guest has printed on its serial port."""
    text = b""
    for part in (f"{path}.1", path):
        with contextlib.suppress(FileNotFoundError), open(part, "rb") as file:
            text += file.read()
    return text.decode(errors="replace")
