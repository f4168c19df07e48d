"""What a guest hears: its own network, what answers it, what its rules let in, and nothing else."""

import json
import socket
import struct
import threading
import unittest

from lab import frames as f
from lab import guarded, spoofs, wire

ANYBODY4, ANYBODY6 = "0.0.0.0/0", "::/0"


def rule(protocol, source, first=0, last=0):
    return {"protocol": protocol, "from": source, "first": first, "last": last}


def packet(sender, target, protocol, payload, **more):
    """Of the family that `sender` and `target`, both addresses, have; between two stations."""
    (from_mac, source), (to_mac, sink) = sender, target
    if ":" in source:
        return f.ethernet(from_mac, to_mac, f.IP6, f.ip6(source, sink, protocol, payload))
    return f.ethernet(from_mac, to_mac, f.IP4, f.ip4(source, sink, protocol, payload, **more))


class Ingress(guarded.GuardedCase):
    def to_alice(self, protocol, payload, source=None, sender=None, **more):
        """Whether a packet from the world reaches her. `source`: as whom it comes."""
        sender = sender or self.world
        source = source or sender.ip4
        target = self.alice.ip6 if ":" in source else self.alice.ip4
        frame = packet((self.GATEWAY.mac if sender is self.host else sender.mac, source),
                       (self.alice.mac, target), protocol, payload, **more)
        return self.arrives(sender, frame, self.alice.tap)[0]

    def from_alice(self, protocol, payload, sink=None):
        sink = sink or self.world.ip4
        source = self.alice.ip6 if ":" in sink else self.alice.ip4
        frame = packet((self.alice.mac, source), (self.world.mac, sink), protocol, payload)
        self.assertEqual(self.arrives(self.alice, frame, self.world.tap), [True])

    def echo(self, kind, version=4):
        if version == 4:
            return f.ICMP, f.icmp(kind)
        return f.ICMP6, f.icmp6(self.world.ip6, self.alice.ip6, kind, b"\0\1\0\1")

    def unasked(self):
        six = self.world.ip6
        return {
            "TCP": (f.TCP, f.tcp(1000, 22, f.SYN)),
            "TCP that pretends to answer": (f.TCP, f.tcp(443, 40000, f.SYN | f.ACK)),
            "TCP that pretends to go on": (f.TCP, f.tcp(443, 40000, f.ACK)),
            "UDP": (f.UDP, f.udp(53, 40000)),
            "ping": self.echo(8), "ping's answer": self.echo(0),
            "a timestamp request": self.echo(13), "an IPv4 redirect": self.echo(5),
            "a tunnel": (47, bytes(8)),
            "TCP of IPv6": (f.TCP, f.tcp(1000, 22, f.SYN), six),
            "UDP of IPv6": (f.UDP, f.udp(53, 40000), six),
            "ping of IPv6": (*self.echo(128, 6), six),
            "ping's answer of IPv6": (*self.echo(129, 6), six),
            "UDP behind options": (f.OPTIONS, f.options(f.UDP) + f.udp(53, 40000), six),
            "a fragment of IPv6": (f.FRAGMENT, f.fragment(f.UDP, bytes(8), 64), six),
            "a first fragment of IPv6": (f.FRAGMENT,
                                         f.fragment(f.UDP, f.udp(53, 40000), more=True), six),
        }

    def test_nobody_from_outside_is_heard(self):
        self.guard()
        for name, packet_ in self.unasked().items():
            with self.subTest(name):
                self.assertFalse(self.to_alice(*packet_))
        with self.subTest("a later fragment"):
            self.assertFalse(self.to_alice(f.UDP, bytes(64), offset=800))
        with self.subTest("a broadcast"):
            frame = spoofs.datagram4(self.world.mac, self.world.ip4, "10.64.0.255", f.udp(1, 9))
            self.assertEqual(self.arrives(self.world, frame, self.alice.tap), [False])
        with self.subTest("a tagged frame"):
            frame = f.tagged(self.marker(self.world))
            self.assertEqual(self.arrives(self.world, frame, self.alice.tap), [False])

    def test_all_of_that_is_heard_without_us(self):
        """Else the test before would prove nothing."""
        for name, packet_ in self.unasked().items():
            with self.subTest(name):
                self.assertTrue(self.to_alice(*packet_))

    def test_host_is_heard_as_the_gateway_alone(self):
        """What the host forwards, from other networks too, comes with its sender's address."""
        self.guard()
        for source, heard in (("10.64.0.1", True), ("192.0.2.1", False), ("10.65.0.7", False),
                              ("fd00:64::1", True), ("2001:db8::1", False)):
            with self.subTest(source):
                self.assertEqual(self.to_alice(f.TCP, f.tcp(1000, 22, f.SYN), source,
                                               sender=self.host), heard)

    def test_own_network_is_heard(self):
        self.guard()
        for name, packet_ in self.unasked().items():
            source = self.bob.ip6 if len(packet_) == 3 else self.bob.ip4
            with self.subTest(name):
                heard = name != "an IPv4 redirect"  # which bob may not send
                self.assertEqual(self.to_alice(*packet_[:2], source, sender=self.bob), heard)

    def test_another_network_on_the_same_bridge_is_a_stranger(self):
        """Even where the whole range counts as neighbours: that is for what comes from outside."""
        self.guard(neighbours=["10.64.0.0/24", "fd00:64::/64"], stray="other")
        for name, packet_ in self.unasked().items():
            with self.subTest(name):
                source = self.stray.ip6 if len(packet_) == 3 else self.stray.ip4
                self.assertFalse(self.to_alice(*packet_[:2], source, sender=self.stray))
        frame = spoofs.datagram4(self.stray.mac, self.stray.ip4, "10.64.0.255", f.udp(1, 9))
        self.assertEqual(self.arrives(self.stray, frame, self.alice.tap), [False])

    def test_another_network_on_the_same_bridge_hears_answers_and_is_let_in_by_rules(self):
        self.guard(alice=[rule("tcp", f"{self.stray.ip4}/32", 22, 22)], stray="other")
        syn, answer = f.tcp(40000, 22, f.SYN), f.tcp(22, 40000, f.SYN | f.ACK)
        self.assertTrue(self.to_alice(f.TCP, syn, sender=self.stray))
        frame = packet((self.alice.mac, self.alice.ip4), (self.stray.mac, self.stray.ip4), f.TCP,
                       answer)
        self.assertEqual(self.arrives(self.alice, frame, self.stray.tap), [True])
        other = packet((self.alice.mac, self.alice.ip4), (self.stray.mac, self.stray.ip4), f.TCP,
                       f.tcp(23, 40000, f.SYN))
        self.assertEqual(self.arrives(self.alice, other, self.stray.tap), [False])

    def test_neighbours_from_outside_are_heard_when_named(self):
        self.guard(neighbours=["10.64.0.200/32", "fd00:64::/64"])
        self.assertTrue(self.to_alice(f.TCP, f.tcp(1000, 22, f.SYN)))
        self.assertTrue(self.to_alice(f.TCP, f.tcp(1000, 22, f.SYN), self.world.ip6))
        self.assertFalse(self.to_alice(f.TCP, f.tcp(1000, 22, f.SYN), "10.64.0.201"))

    def test_address_resolution_from_outside_is_heard(self):
        self.guard()
        node = f.solicited_node(self.alice.ip6)
        for name, frame in {
                "ARP": f.arp(self.world.mac, 1, self.world.mac, self.world.ip4, self.alice.ip4),
                "solicitation": spoofs.discovery(
                    self.world.ip6, node, f.solicitation(self.world.ip6, node, self.alice.ip6),
                    self.world.mac),
                "router": spoofs.discovery(
                    f.link_local(self.world.mac), "ff02::1", f.router_advertisement(
                        f.link_local(self.world.mac), "ff02::1", self.world.mac),
                    self.world.mac)}.items():
            with self.subTest(name):
                self.assertEqual(self.arrives(self.world, frame, self.alice.tap), [True])
        far = spoofs.discovery(self.world.ip6, node, f.solicitation(
            self.world.ip6, node, self.alice.ip6), self.world.mac, hops=254)
        self.assertEqual(self.arrives(self.world, far, self.alice.tap), [False])

    def test_rules_let_in_what_they_name_and_no_more(self):
        syn = f.SYN
        six = self.world.ip6
        cases = [
            (rule("tcp", ANYBODY4, 22, 22), f.TCP, f.tcp(1000, 22, syn), None, True),
            (rule("tcp", ANYBODY4, 22, 22), f.TCP, f.tcp(1000, 23, syn), None, False),
            (rule("tcp", ANYBODY4, 22, 22), f.UDP, f.udp(1000, 22), None, False),
            (rule("tcp", ANYBODY4, 22, 22), f.TCP, f.tcp(1000, 22, syn), six, False),
            (rule("tcp", ANYBODY6, 22, 22), f.TCP, f.tcp(1000, 22, syn), six, True),
            (rule("tcp", ANYBODY4, 80, 90), f.TCP, f.tcp(1000, 90, syn), None, True),
            (rule("tcp", ANYBODY4, 80, 90), f.TCP, f.tcp(1000, 91, syn), None, False),
            (rule("tcp", ANYBODY4), f.TCP, f.tcp(1000, 9999, syn), None, True),
            (rule("tcp", "192.0.2.0/24", 22, 22), f.TCP, f.tcp(1, 22, syn), "192.0.2.9", True),
            (rule("tcp", "192.0.2.0/24", 22, 22), f.TCP, f.tcp(1, 22, syn), "192.0.3.9", False),
            (rule("tcp", "2001:db8::/32", 22, 22), f.TCP, f.tcp(1, 22, syn), "2001:db8::9", True),
            (rule("tcp", "2001:db8::/32", 22, 22), f.TCP, f.tcp(1, 22, syn), "2001:db9::9", False),
            (rule("udp", ANYBODY4, 53, 53), f.UDP, f.udp(1000, 53), None, True),
            (rule("udp", ANYBODY4, 53, 53), f.UDP, f.udp(1000, 54), None, False),
            (rule("udp", ANYBODY4, 53, 53), f.TCP, f.tcp(1000, 53, syn), None, False),
            (rule("icmp", ANYBODY4), *self.echo(8), None, True),
            (rule("icmp", ANYBODY4), f.UDP, f.udp(1, 1), None, False),
            (rule("icmp", ANYBODY4), *self.echo(128, 6), six, False),
            (rule("icmp", ANYBODY6), *self.echo(128, 6), six, True),
            (rule("any", "10.64.0.200/32"), 47, bytes(8), None, True),
            (rule("any", "10.64.0.201/32"), 47, bytes(8), None, False),
        ]
        for one, protocol, payload, source, heard in cases:
            with self.subTest(one, protocol=protocol, source=source):
                self.guard(alice=[one])
                self.assertEqual(self.to_alice(protocol, payload, source), heard)

    def test_rest_of_a_datagram_that_is_let_in_is_heard(self):
        self.guard(alice=[rule("udp", ANYBODY4, 53, 53)])
        self.assertTrue(self.to_alice(f.UDP, bytes(64), offset=800))

    def test_rules_of_one_guest_do_not_open_another(self):
        self.guard(alice=[rule("any", ANYBODY4)])
        frame = packet((self.world.mac, self.world.ip4), (self.bob.mac, self.bob.ip4), f.TCP,
                       f.tcp(1000, 22, f.SYN))
        self.assertEqual(self.arrives(self.world, frame, self.bob.tap), [False])

    def test_answers_are_heard_and_nothing_beside_them(self):
        for sink in (self.world.ip4, self.world.ip6):
            with self.subTest(sink):
                self.guard()
                self.from_alice(f.TCP, f.tcp(40000, 443, f.SYN), sink)
                self.from_alice(f.UDP, f.udp(40001, 53), sink)
                other = "fd00:64::201" if ":" in sink else "10.64.0.201"
                for protocol, payload, source, heard in (
                        (f.TCP, f.tcp(443, 40000, f.SYN | f.ACK), sink, True),
                        (f.TCP, f.tcp(444, 40000, f.SYN | f.ACK), sink, False),
                        (f.TCP, f.tcp(443, 40001, f.SYN | f.ACK), sink, False),
                        (f.TCP, f.tcp(443, 40000, f.SYN | f.ACK), other, False),
                        (f.UDP, f.udp(443, 40000), sink, False),
                        (f.UDP, f.udp(53, 40001), sink, True),
                        (f.UDP, f.udp(54, 40001), sink, False),
                        (f.TCP, f.tcp(53, 40001, f.ACK), sink, False)):
                    self.assertEqual(self.to_alice(protocol, payload, source), heard,
                                     (protocol, payload, source))

    def test_answers_go_to_who_asked(self):
        self.guard()
        self.from_alice(f.UDP, f.udp(40001, 53))
        frame = packet((self.world.mac, self.world.ip4), (self.bob.mac, self.bob.ip4), f.UDP,
                       f.udp(53, 40001))
        self.assertEqual(self.arrives(self.world, frame, self.bob.tap), [False])

    def test_host_answers_the_guest_that_asked_it(self):
        self.guard(neighbours=[])
        frame = packet((self.alice.mac, self.alice.ip4), (self.GATEWAY.mac, "10.65.0.1"), f.UDP,
                       f.udp(40001, 53))
        self.assertEqual(self.arrives(self.alice, frame, self.host), [True])
        self.assertTrue(self.to_alice(f.UDP, f.udp(53, 40001), "10.65.0.1", sender=self.host))
        self.assertFalse(self.to_alice(f.UDP, f.udp(54, 40001), "10.65.0.1", sender=self.host))

    def test_pings_and_tunnels_are_answered_by_whom_they_went_to(self):
        self.guard()
        self.from_alice(*self.echo(8))
        self.from_alice(f.ICMP6, f.icmp6(self.alice.ip6, self.world.ip6, 128, b"\0\1\0\1"),
                        self.world.ip6)
        self.from_alice(47, bytes(8))
        for protocol, payload, source, heard in (
                (*self.echo(0), None, True), (*self.echo(0), "10.64.0.201", False),
                (*self.echo(8), None, False),
                (*self.echo(129, 6), self.world.ip6, True),
                (*self.echo(129, 6), "fd00:64::201", False),
                (47, bytes(8), None, True), (50, bytes(8), None, False),
                (47, bytes(8), "10.64.0.201", False)):
            with self.subTest(protocol=protocol, source=source):
                self.assertEqual(self.to_alice(protocol, payload, source), heard)

    def test_rest_of_a_long_answer_is_heard(self):
        self.guard()
        self.from_alice(f.UDP, f.udp(40001, 53))
        self.assertTrue(self.to_alice(f.UDP, bytes(64), offset=1480))
        self.assertFalse(self.to_alice(f.UDP, bytes(64), "10.64.0.201", offset=1480))

    def test_errors_are_heard(self):
        self.guard()
        self.assertTrue(self.to_alice(f.ICMP, f.icmp(3, 4, payload=bytes(28))))
        self.assertTrue(self.to_alice(f.ICMP6, f.icmp6(self.world.ip6, self.alice.ip6, 2,
                                                       struct.pack("!I", 1280) + bytes(48)),
                                      self.world.ip6))

    def test_answers_are_heard_after_a_change_of_the_rules(self):
        self.guard()
        self.from_alice(f.TCP, f.tcp(40000, 443, f.SYN))
        self.guard(alice=[rule("tcp", ANYBODY4, 22, 22)])
        self.assertTrue(self.to_alice(f.TCP, f.tcp(443, 40000, f.SYN | f.ACK)))

    def test_what_was_let_in_is_no_more_once_its_rule_is_gone(self):
        self.guard(alice=[rule("tcp", ANYBODY4, 22, 22)])
        self.assertTrue(self.to_alice(f.TCP, f.tcp(1000, 22, f.SYN)))
        self.from_alice(f.TCP, f.tcp(22, 1000, f.SYN | f.ACK))
        self.assertTrue(self.to_alice(f.TCP, f.tcp(1000, 22, f.ACK)))
        self.guard()
        self.assertFalse(self.to_alice(f.TCP, f.tcp(1000, 22, f.ACK)))

    def expiry(self):
        """For how many seconds more the one conversation of alice's is known."""
        text = guarded.tool("--show", f"flow4_{self.alice.interface}")
        sets = [one["set"] for one in json.loads(text)["nftables"] if "set" in one]
        elements = [element["elem"] for element in sets[0].get("elem", [])]
        self.assertLessEqual(len(elements), 1)
        return elements[0]["expires"] if elements else None

    def test_living_conversations_are_remembered_longer_than_others(self):
        self.guard()
        minute, hour = 60, 3600
        for flags, least, most in ((f.SYN, 2 * minute, 3 * minute), (f.ACK, 2 * hour, 3 * hour),
                                   (f.FIN | f.ACK, 0, minute), (f.ACK, 0, minute),
                                   (f.SYN, 2 * minute, 3 * minute), (f.ACK, 2 * hour, 3 * hour),
                                   (f.RST, 0, minute)):
            self.from_alice(f.TCP, f.tcp(40000, 443, flags))
            self.assertTrue(least <= self.expiry() <= most, (flags, self.expiry()))

    def test_servers_answers_are_not_remembered(self):
        self.guard(alice=[rule("tcp", ANYBODY4, 22, 22)])
        self.from_alice(f.TCP, f.tcp(22, 1000, f.SYN | f.ACK))
        self.from_alice(f.TCP, f.tcp(22, 1000, f.ACK))
        self.assertIsNone(self.expiry())

    def test_talk_within_the_network_is_not_remembered(self):
        self.guard()
        self.arrives(self.bob, self.marker(self.bob), self.alice.tap)  # now the bridge knows him
        frame = packet((self.alice.mac, self.alice.ip4), (self.bob.mac, self.bob.ip4), f.TCP,
                       f.tcp(40000, 443, f.SYN))
        self.assertEqual(self.arrives(self.alice, frame, self.bob.tap), [True])
        self.assertIsNone(self.expiry())


class RealStacks(guarded.GuardedCase):
    """The kernel's own TCP on both sides."""

    BYTES = 1 << 20

    def configure(self, station):
        with wire.Inside(station.port.name):
            wire.ip("address", "add", f"{station.ip4}/24", "dev", "eth0")

    def serve(self, station, port):
        with wire.Inside(station.port.name):
            server = socket.create_server((station.ip4, port))
        self.addCleanup(server.close)
        server.settimeout(20)

        def answer():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"x" * self.BYTES)

        thread = threading.Thread(target=answer)
        thread.start()
        self.addCleanup(thread.join)

    def fetch(self, station, server, port, between=lambda: None):
        with wire.Inside(station.port.name):
            client = socket.socket()
        with client:
            client.settimeout(5)
            client.connect((server.ip4, port))
            between()
            received = 0
            while data := client.recv(65536):
                received += len(data)
            return received

    def setUp(self):
        super().setUp()
        for station in (self.alice, self.bob, self.world):
            self.configure(station)

    def test_guest_fetches_from_the_world_while_rules_change(self):
        self.guard()
        self.serve(self.world, 8080)
        change = [rule("tcp", ANYBODY4, 22, 22)]
        self.assertEqual(self.fetch(self.alice, self.world, 8080, lambda: self.guard(change)),
                         self.BYTES)

    def test_guests_of_a_network_reach_each_other(self):
        self.guard()
        self.serve(self.bob, 8080)
        self.assertEqual(self.fetch(self.alice, self.bob, 8080), self.BYTES)

    def test_world_reaches_a_guest_only_by_its_rules(self):
        self.guard()
        self.serve(self.alice, 8080)
        with wire.Inside("world"):
            client = socket.socket()
        with client:
            client.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                client.connect((self.alice.ip4, 8080))
        self.guard(alice=[rule("tcp", f"{self.world.ip4}/32", 8080, 8080)])
        self.assertEqual(self.fetch(self.world, self.alice, 8080), self.BYTES)


if __name__ == "__main__":
    unittest.main()
