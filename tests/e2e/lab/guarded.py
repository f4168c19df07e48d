"""A host's bridge with two guests of one network, a third of another or that nobody guards, and the
world."""

import dataclasses
import json
import os
import pathlib
import subprocess
import unittest

from lab import frames as f
from lab import wire

PREFIX = "sw"
NEIGHBOURS = ["10.64.0.1/32", "fd00:64::1/128"]


@dataclasses.dataclass
class Station:
    mac: str
    ip4: str
    ip6: str
    interface: str = ""
    port: wire.Port = None

    @property
    def tap(self):
        return self.port.tap


def tool(*words, text=""):
    binary = pathlib.Path(os.environ["STELLWERK_BIN"]) / "firewall_tool"
    return subprocess.run([binary, *words], input=text, text=True, check=True,
                          capture_output=True).stdout


class GuardedCase(unittest.TestCase):
    ALICE = Station("02:00:00:00:00:0a", "10.64.0.10", "fd00:64::a", "sw00000000000a")
    BOB = Station("02:00:00:00:00:0b", "10.64.0.11", "fd00:64::b", "sw00000000000b")
    STRAY = Station("02:00:00:00:00:0c", "10.64.0.12", "fd00:64::c", "sw00000000000c")
    WORLD = Station("02:00:00:00:00:0d", "10.64.0.200", "fd00:64::200", "up0")
    GATEWAY = Station("02:00:00:00:00:01", "10.64.0.1", "fd00:64::1")

    def setUp(self):
        if "STELLWERK_LAB" not in os.environ:
            raise RuntimeError("run this in the sandbox: tests/e2e/sandbox")
        wire.make_bridge()
        self.addCleanup(wire.ip, "link", "delete", wire.BRIDGE)
        wire.ip("link", "set", wire.BRIDGE, "address", self.GATEWAY.mac)
        for name in ("alice", "bob", "stray", "world"):
            station = dataclasses.replace(getattr(self, name.upper()))
            station.port = wire.Port(name, station.interface, station.mac)
            self.addCleanup(station.port.remove)
            setattr(self, name, station)
        self.host = wire.Tap(wire.BRIDGE)
        self.addCleanup(self.host.close)
        # Only a test that fails to clear it needs this: the namespace outlives the test.
        self.addCleanup(tool, "--clear")

    def guard(self, alice=(), neighbours=NEIGHBOURS, stray=None):
        """`alice`: the rules that let something in to her. `stray`: his network, if guarded."""
        def port(station, rules, network="office"):
            return {"interface": station.interface, "mac": station.mac.replace(":", ""),
                    "network": network, "addresses": [station.ip4, station.ip6],
                    "ingress": list(rules)}
        ports = [port(self.alice, alice), port(self.bob, ())]
        networks = [{"key": "office", "neighbours": list(neighbours)}]
        if stray:
            ports.append(port(self.stray, (), stray))
            networks.append({"key": stray, "neighbours": list(neighbours)})
        tool(text=json.dumps({"port_prefix": PREFIX, "networks": networks, "ports": ports}))

    def marker(self, sender):
        """A frame that nobody holds back."""
        if sender is self.host:
            return f.arp(self.GATEWAY.mac, 1, self.GATEWAY.mac, self.GATEWAY.ip4, "10.64.0.99")
        return f.arp(sender.mac, 1, sender.mac, sender.ip4, "10.64.0.99")

    def arrives(self, sender, frame, *taps):
        """At which of `taps` the frame came out, as a list of booleans."""
        out = sender if sender is self.host else sender.tap
        for tap in taps:
            tap.forget()
        last = self.marker(sender)
        out.send(frame)
        out.send(last)
        answer = []
        for tap in taps:
            seen = tap.seen_until(f.token_of(last))
            self.assertIsNotNone(seen, "the frame behind it never came: this test is blind")
            answer.append(any(f.token_of(frame) in one for one in seen))
        return answer
