"""A hostile guest is silent on the wire: what it sends as somebody else reaches neither the other
guest, nor the world beyond the bridge, nor the host; what it sends as itself does."""

import unittest

from lab import frames as f
from lab import guarded, spoofs, wire


class Spoof(guarded.GuardedCase):
    def watchers(self):
        return self.bob.tap, self.world.tap, self.host

    def test_honest_guest_is_heard(self):
        self.guard()
        for name, frame in spoofs.honest(self.alice, self.bob).items():
            with self.subTest(name):
                self.assertEqual(self.arrives(self.alice, frame, self.bob.tap), [True])

    def test_honest_guest_is_heard_by_host_and_world(self):
        self.guard()
        for other, tap in ((self.GATEWAY, self.host), (self.world, self.world.tap)):
            for name, frame in spoofs.honest(self.alice, other).items():
                with self.subTest(name, to=other.ip4):
                    self.assertEqual(self.arrives(self.alice, frame, tap), [True])

    def test_hostile_guest_is_silent(self):
        self.guard()
        for name, frame in spoofs.hostile(self.alice, self.bob, self.GATEWAY).items():
            with self.subTest(name):
                self.assertEqual(self.arrives(self.alice, frame, *self.watchers()), [False] * 3)

    def test_hostile_guest_would_be_heard_without_us(self):
        """Else the test before would prove nothing."""
        for name, frame in spoofs.hostile(self.alice, self.bob, self.GATEWAY).items():
            with self.subTest(name):
                self.assertEqual(self.arrives(self.alice, frame, self.bob.tap, self.world.tap),
                                 [True] * 2)

    def test_guest_with_ipv4_alone_has_no_other_ipv6_address_than_the_links(self):
        self.alice.ip6, own = "10.64.0.10", self.alice.ip6
        self.guard()
        self.alice.ip6 = own
        frame = spoofs.datagram6(self.alice.mac, own, self.bob.ip6, f.udp(1, 9))
        self.assertEqual(self.arrives(self.alice, frame, *self.watchers()), [False] * 3)
        link = spoofs.datagram6(self.alice.mac, f.link_local(self.alice.mac), self.bob.ip6,
                                f.udp(1, 9))
        self.assertEqual(self.arrives(self.alice, link, *self.watchers()), [True] * 3)

    def draws_bobs_traffic(self, frame):
        """Whether the bridge takes alice for bob after this frame of hers."""
        self.arrives(self.bob, self.marker(self.bob), self.world.tap)
        self.arrives(self.alice, frame, self.world.tap)
        to_bob = f.arp(self.world.mac, 2, self.world.mac, self.world.ip4, self.bob.ip4,
                       target=self.bob.mac)
        came = self.arrives(self.world, to_bob, self.bob.tap, self.alice.tap)
        self.assertFalse(came[1])
        return not came[0]

    def as_bob(self, last_byte):
        return f.ethernet(self.bob.mac, f"01:80:c2:00:00:{last_byte}", 0x88CC, bytes(46))

    def test_spoofed_frame_does_not_draw_anothers_traffic(self):
        """A bridge learns where a MAC is from what comes in."""
        self.guard()
        arp = f.arp(self.bob.mac, 1, self.bob.mac, self.bob.ip4, self.GATEWAY.ip4)
        for name, frame in {"ARP": arp, "LLDP": self.as_bob("0e"), "EAPOL": self.as_bob("03"),
                            "spanning tree": self.as_bob("00")}.items():
            with self.subTest(name):
                self.assertFalse(self.draws_bobs_traffic(frame))

    def test_bridge_that_learns_of_link_protocols_is_fooled_by_lldp_alone(self):
        """A bridge of somebody else's; that one kind passes by every rule (docs/firewall.md)."""
        self.guard()
        wire.ip("link", "set", wire.BRIDGE, "type", "bridge", "no_linklocal_learn", "0")
        for kind in ("00", "02", "03", "0d", "21"):
            with self.subTest(kind):
                self.assertFalse(self.draws_bobs_traffic(self.as_bob(kind)))
        self.assertTrue(self.draws_bobs_traffic(self.as_bob("0e")))

    def test_frames_for_another_guest_are_not_flooded_to_this_one(self):
        self.guard()
        nowhere = "02:00:00:00:00:55"  # the bridge does not know where that is: everywhere
        for sender in (self.world, self.bob):
            frame = f.arp(sender.mac, 2, sender.mac, sender.ip4, "10.64.0.85", target=nowhere)
            self.assertEqual(self.arrives(sender, frame, self.alice.tap), [False])

    def test_port_that_nobody_guards_is_shut_both_ways(self):
        self.guard()
        self.stray.tap.send(self.marker(self.stray))
        for name, frame in spoofs.honest(self.stray, self.bob).items():
            with self.subTest(name):
                self.stray.tap.send(frame)
                last = self.marker(self.alice)
                self.alice.tap.send(last)
                seen = self.bob.tap.seen_until(f.token_of(last))
                self.assertFalse([one for one in seen if self.stray.mac.replace(":", "")
                                  in one[6:12].hex()])
        self.stray.tap.forget()
        for sender, witness in ((self.world, self.host), (self.bob, self.world.tap),
                                (self.host, self.world.tap)):
            self.arrives(sender, self.marker(sender), witness)
            to_stray = f.arp(self.world.mac, 2, self.world.mac, self.world.ip4, self.stray.ip4,
                             target=self.stray.mac)
            self.arrives(self.world, to_stray, self.host)
        self.assertEqual(self.stray.tap.waiting(), [])

    def test_interfaces_of_others_are_let_be(self):
        self.guard()
        frame = f.tagged(f.ethernet("02:00:00:00:00:66", f.BROADCAST, 0x88CC, bytes(46)))
        self.assertEqual(self.arrives(self.world, frame, self.host), [True])


if __name__ == "__main__":
    unittest.main()
