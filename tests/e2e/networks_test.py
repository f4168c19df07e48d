"""Networks on a real host: bridges, addresses, seeds, the firewall, and what goes away again."""

import json
import shutil
import threading
import unittest

from lab import cell as cells
from lab import machine, nft, waiting
from lab.case import CellCase, short_name

FLAT = {"bridge": "stellwerk0", "subnet": "10.64.0.0/24", "gateway": "10.64.0.1"}


class NetworkCase(CellCase):
    configuration = {"network": FLAT}

    def setUp(self):
        # Cleanups run in reverse: what is deleted goes first.
        self.addCleanup(self.no_bridge_is_left)
        super().setUp()

    def delete_everything(self):
        super().delete_everything()
        for network in self.own_networks():
            self.cell.cli("network", "delete", short_name(network))
        waiting.until(lambda: not self.own_networks(), 60, "all networks to go",
                      describe=self.cell.log_tail)

    def no_bridge_is_left(self):
        self.assertEqual([name for name in machine.interfaces() if name.startswith("swbr")], [])

    def own_networks(self):
        return [one for one in self.cell.json("network", "list") if not one["cellOwned"]]

    def make(self, name, *subnets, more=()):
        words = ["network", "create", name]
        for subnet in subnets:
            words += ["--subnet", subnet]
        return self.cell.json(*words, *more)

    def addresses_of(self, instance):
        return [one["ipAddresses"] for one in instance["networkInterfaces"]]

    def network_config(self, uid):
        """As the guest finds it in its seed."""
        seed = (self.cell.storage / "instances" / uid / "seed.iso").read_bytes()
        text = seed[seed.index(b'{\n  "version": 2'):].decode(errors="replace")
        return json.JSONDecoder().raw_decode(text)[0]["ethernets"]


class Networks(NetworkCase):
    def test_range_that_the_host_is_in_is_not_taken_from_it(self):
        machine.output("ip", "link", "add", "lan0", "type", "bridge")
        self.addCleanup(machine.output, "ip", "link", "delete", "lan0")
        machine.output("ip", "address", "add", "10.70.0.1/24", "dev", "lan0")
        self.make("greedy", "10.70.0.0/25")
        self.book("web", "--network", "greedy", wait=False)
        waiting.until(lambda: "which this host has on lan0" in self.cell.instance("web")["message"],
                      60, "the overlap to be told", describe=self.cell.log_tail)
        self.assertIn("network greedy", self.cell.instance("web")["message"])
        self.cell.cli("instance", "delete", "web", "--wait")

    def test_bridge_that_is_not_there_is_named_with_its_network(self):
        self.make("back", "10.71.0.0/24", more=["--bridge", "br-none"])
        self.book("web", "--network", "back", wait=False)
        waiting.until(lambda: "network back: this host has no bridge br-none"
                      in self.cell.instance("web")["message"], 60, "the bridge to be missed",
                      describe=self.cell.log_tail)
        self.cell.cli("instance", "delete", "web", "--wait")

    def test_instance_on_three_networks_has_three_taps_and_a_seed_that_says_all(self):
        dual = self.make("dual", "10.8.0.0/24", "fd00:8::/64",
                         more=["--dns", "10.8.0.53", "--dns", "fd00:8::53", "--mtu", "1400",
                               "--route", "192.0.2.0/24=10.8.0.9"])
        alone = self.make("alone", "10.9.0.0/24", "fd00:9::/64", more=["--isolated"])
        self.assertEqual(dual["gateways"], ["10.8.0.1", "fd00:8::1"])
        self.assertTrue(alone["isolated"])
        web = self.book("web", "--network", "flat", "--network", "dual=10.8.0.77,fd00:8::77",
                        "--network", "alone")
        uid = web["uid"]
        bridges = ["stellwerk0", dual["bridge"], alone["bridge"]]
        self.assertEqual(len(set(bridges)), 3)
        self.assertEqual(self.addresses_of(web), [
            ["10.64.0.2"], ["10.8.0.77", "fd00:8::77"], ["10.9.0.1", "fd00:9::1"]])

        macs = [one["macAddress"] for one in web["networkInterfaces"]]
        taps = [cells.interface_of(uid, port) for port in range(3)]
        self.assertEqual(machine.ports_of(uid), list(zip(taps, bridges, macs)))
        for tap, bridge, mtu in zip(taps, bridges, (1500, 1400, 1500)):
            self.assertEqual(machine.bridge_ports(bridge), [tap])
            self.assertEqual((machine.link(bridge)["mtu"], machine.link(tap)["mtu"]), (mtu, mtu))
        self.assertEqual(machine.addresses("stellwerk0"), ["10.64.0.1/24"])
        self.assertEqual(machine.addresses(dual["bridge"]), ["10.8.0.1/24", "fd00:8::1/64"])
        self.assertEqual(machine.addresses(alone["bridge"]), [])

        self.assertEqual(self.network_config(uid), {
            "eth0": {"match": {"macaddress": macs[0]}, "set-name": "eth0", "dhcp4": False,
                     "addresses": ["10.64.0.2/24"],
                     "routes": [{"to": "0.0.0.0/0", "via": "10.64.0.1"}]},
            "eth1": {"match": {"macaddress": macs[1]}, "set-name": "eth1", "dhcp4": False,
                     "mtu": 1400, "addresses": ["10.8.0.77/24", "fd00:8::77/64"],
                     "routes": [{"to": "192.0.2.0/24", "via": "10.8.0.9"}],
                     "nameservers": {"addresses": ["10.8.0.53", "fd00:8::53"]}},
            "eth2": {"match": {"macaddress": macs[2]}, "set-name": "eth2", "dhcp4": False,
                     "addresses": ["10.9.0.1/24", "fd00:9::1/64"]}})
        self.assertEqual(self.cell.json("network", "show", "dual")["portCount"], "1")

    def test_addresses_survive_a_killed_daemon_and_are_not_given_twice(self):
        self.make("dual", "10.8.0.0/29", "fd00:8::/64")
        ports = ["--network", "dual"]
        first = self.book("a", *ports)
        self.assertEqual(self.addresses_of(first), [["10.8.0.2", "fd00:8::2"]])
        self.cell.kill()
        self.cell.start()
        self.assertEqual(self.cell.instance("a")["networkInterfaces"], first["networkInterfaces"])
        second = self.book("b", *ports, "--stopped")
        self.assertEqual(self.addresses_of(second), [["10.8.0.3", "fd00:8::3"]])
        self.cell.cli("instance", "delete", "a", "--wait")
        self.cell.kill()
        self.cell.start()
        for name, last in (("c", 4), ("d", 5), ("e", 6)):
            self.assertEqual(self.addresses_of(self.book(name, *ports, "--stopped")),
                             [[f"10.8.0.{last}", f"fd00:8::{last}"]])
        again = self.book("f", *ports, "--stopped")
        self.assertEqual(self.addresses_of(again), [["10.8.0.2", "fd00:8::7"]])
        macs = [one["networkInterfaces"][0]["macAddress"]
                for one in [first, *self.cell.json("instance", "list")]]
        self.assertEqual(len(set(macs)), len(macs), "a MAC was given twice")
        self.refused("instance", "create", "late", "--flavor", "tiny", "--image", "tiny", *ports,
                     names=["dual", "10.8.0.0/29", "5 are taken"], code=7)

    def test_network_in_use_stays_and_its_bridge_goes_with_it(self):
        bridge = self.make("back", "10.8.0.0/24")["bridge"]
        self.book("web", "--network", "back")
        self.assertIn(bridge, machine.interfaces())
        self.refused("network", "delete", "back", names=["back", "web", "delete these"], code=1)
        self.assertEqual(self.cell.json("network", "show", "back")["state"], "ACTIVE")
        self.cell.cli("instance", "delete", "web", "--wait")
        self.cell.cli("network", "delete", "back")
        waiting.until(lambda: not self.own_networks(), 30, "the network to go",
                      describe=self.cell.log_tail)
        self.assertNotIn(bridge, machine.interfaces())
        self.refused("network", "delete", "back", names="back", code=3)
        again = self.make("back", "10.8.0.0/24")
        self.assertNotEqual(again["bridge"], bridge)

    def test_bridge_of_the_operators_is_used_as_it_is_and_left_alone(self):
        machine.output("ip", "link", "add", "br-office", "type", "bridge")
        self.addCleanup(machine.output, "ip", "link", "delete", "br-office")
        machine.output("ip", "address", "add", "192.168.7.1/24", "dev", "br-office")
        machine.output("ip", "link", "set", "br-office", "up", "mtu", "1450")
        self.make("office", "10.8.0.0/24", more=["--bridge", "br-office"])
        uid = self.book("web", "--network", "office")["uid"]
        self.assertEqual(machine.bridge_ports("br-office"), [cells.interface_of(uid)])
        self.cell.cli("instance", "delete", "web", "--wait")
        self.cell.cli("network", "delete", "office")
        waiting.until(lambda: not self.own_networks(), 30, "the network to go")
        self.assertEqual(machine.addresses("br-office"), ["192.168.7.1/24"])
        self.assertEqual(machine.link("br-office")["mtu"], 1450)

    def test_bad_networks_are_refused_in_words_that_help(self):
        def refused(*words, names, code=None):
            return self.refused("network", "create", *words, names=names, code=code)
        refused("x", "--subnet", "10.64.0.128/25", names=["overlaps", "10.64.0.0/24", "flat"])
        refused("x", "--subnet", "10.8.0.0/8", names=["/8 is too large", "16 to 29"])
        refused("x", "--subnet", "10.8.0.7/24", names=["did you mean", "10.8.0.0/24"])
        refused("x", "--subnet", "elsewhere", names=["elsewhere", "10.8.0.0/24"])
        refused("x", "--subnet", "127.0.0.0/24", names=["reserved"])
        refused("x", "--subnet", "10.8.0.0/24", "--subnet", "10.9.0.0/24",
                names=["--subnet", "at most one"], code=2)
        for mtu in ("575", "9217", "-1", "1000000000000"):
            refused("x", "--subnet", "10.8.0.0/24", f"--mtu={mtu}", names=[mtu, "576 to 9216"])
        refused("x", "--subnet", "fd00:8::/64", "--mtu", "1279", names=["1280"])
        refused("x", "--subnet", "10.8.0.0/24", "--gateway", "10.9.0.1", names=["outside"])
        refused("x", "--subnet", "10.8.0.0/24", "--isolated", "--gateway", "10.8.0.1",
                names=["isolated"])
        refused("x", "--subnet", "10.8.0.0/24", "--dns", "dns.example", names=["dns.example"])
        refused("x", "--subnet", "10.8.0.0/24", "--route", "192.0.2.0/24=10.9.0.1",
                names=["no neighbour"])
        refused("x", "--subnet", "10.8.0.0/24", "--route", "192.0.2.0/24",
                names=["RANGE=ADDRESS"], code=2)
        refused("x", "--subnet", "10.8.0.0/24", "--bridge", "swbr0", names=["bridge of yours"])
        refused("x", "--subnet", "10.8.0.0/24", "--bridge", "stellwerk0", names=["stellwerk0"])
        refused("Up", "--subnet", "10.8.0.0/24", names=["63"])
        refused("flat", "--subnet", "10.8.0.0/24", names=["flat", "every project"], code=4)
        self.refused("network", "delete", "flat", names=["configuration"], code=1)
        self.assertEqual(self.own_networks(), [])

    def test_bad_ports_and_rules_are_refused_in_words_that_help(self):
        def refused(*words, names, code=None):
            return self.refused("instance", "create", "x", "--flavor", "tiny", "--image", "tiny",
                                *words, names=names, code=code)
        refused("--network", "flat=10.9.0.9", names=["10.9.0.9", "flat", "10.64.0.0/24"])
        refused("--network", "flat=10.64.0.1", names=["gateway"])
        refused("--network", "flat=10.64.0.255", names=["reserved"])
        refused("--network", "flat=ten", names=["ten"])
        refused("--network", "flat=10.64.0.9", "--network", "flat=10.64.0.9", names=["taken"])
        self.book("holder", "--stopped", "--network", "flat=10.64.0.9")
        refused("--network", "flat=10.64.0.9", names=["10.64.0.9 is taken"])
        refused(*["--network", "flat"] * 9, names=["9", "at most 8"])
        refused("--allow", "http", names=["tcp:443=0.0.0.0/0"], code=2)
        refused("--allow", "tcp:0=0.0.0.0/0", names=["ports are 1 to 65535"], code=2)
        refused("--allow", "tcp:90-80=0.0.0.0/0", names=["90 to 80"])
        refused("--allow", "icmp:80=0.0.0.0/0", names=["only tcp and udp"])
        refused("--allow", "tcp:80=10.0.0.1/8", names=["did you mean", "10.0.0.0/8"])


class Guards(NetworkCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        nft.run("add table inet operators; add chain inet operators theirs; "
                "add rule inet operators theirs tcp dport 22 accept; "
                "add table bridge filter; add chain bridge filter theirs; "
                "add rule bridge filter theirs ether type arp accept")
        cls.addClassCleanup(nft.run, "delete table inet operators; delete table bridge filter")
        cls.foreign = cls.foreign_rules()

    @staticmethod
    def foreign_rules():
        return [nft.listing("inet operators"), nft.listing("bridge filter")]

    def setUp(self):
        self.addCleanup(lambda: self.assertEqual(self.foreign_rules(), self.foreign))
        super().setUp()

    def test_table_guards_a_port_before_its_tap_is_there(self):
        seen = {}
        done = threading.Event()

        def watch():
            while not done.is_set():
                for name in machine.interfaces():
                    if name.startswith("sw") and not name.startswith(("swbr", "stellwerk")):
                        seen.setdefault(name, nft.guarded(name))
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            uids = [self.book(name)["uid"] for name in ("a", "b")]
        finally:
            done.set()
            watcher.join()
        self.assertEqual(seen, {cells.interface_of(uid): True for uid in uids})

    def test_table_is_restored_within_seconds_after_somebody_deletes_it(self):
        instance = self.book("web", "--allow", "tcp:443=192.0.2.0/24")
        tap = cells.interface_of(instance["uid"])
        self.assertTrue(nft.guarded(tap, "10.64.0."))
        self.assertTrue(nft.guarded(tap, "192.0.2.0"))
        nft.run("delete table bridge stellwerk")
        waiting.until(lambda: nft.guarded(tap, "192.0.2.0"), 20, "the table to come back",
                      describe=self.cell.log_tail)
        before = self.qemus_of(instance["uid"])
        self.assertEqual(len(before), 1)
        self.await_phase("web", "RUNNING")

    def test_rule_that_a_running_guest_is_given_comes_into_force(self):
        uid = self.book("web")["uid"]
        tap, before = cells.interface_of(uid), self.qemus_of(uid)
        self.assertFalse(nft.guarded(tap, "192.0.2.0"))
        self.cell.cli("instance", "update", "web", "--allow", "tcp:443=192.0.2.0/24")

        def carried_out():
            instance = self.cell.instance("web")
            return instance["observedGeneration"] == instance["generation"]
        waiting.until(carried_out, 20, "the rule to be carried out", describe=self.cell.log_tail)
        self.assertTrue(nft.guarded(tap, "192.0.2.0"), "carried out before it was in force")
        self.assertEqual(self.qemus_of(uid), before)

    def test_port_of_a_deleted_guest_is_no_longer_in_the_table(self):
        tap = cells.interface_of(self.book("web")["uid"])
        self.assertTrue(nft.guarded(tap))
        self.cell.cli("instance", "delete", "web", "--wait")
        waiting.until(lambda: not nft.guarded(tap), 20, "its guards to go",
                      describe=self.cell.log_tail)

    def test_table_stays_in_force_while_the_daemon_is_away(self):
        tap = cells.interface_of(self.book("web")["uid"])
        self.cell.stop()
        self.assertTrue(nft.guarded(tap), "a stop took the guards away")
        self.cell.start()
        self.assertTrue(nft.guarded(tap))

    def test_orphan_keeps_its_network(self):
        self.cell.stop()
        saved = self.cell.directory / "saved.db"
        shutil.copy(self.cell.database, saved)
        self.cell.start()
        lost = self.book("lost", "--network", "flat=10.64.0.99")["uid"]
        tap = cells.interface_of(lost)
        self.cell.stop()
        for file in self.cell.state.glob("stellwerk.db*"):
            file.unlink()
        shutil.copy(saved, self.cell.database)
        nft.run("delete table bridge stellwerk")
        self.cell.start()
        self.addCleanup(lambda: lost in machine.domains() and machine.virsh("destroy", lost))
        waiting.until(lambda: nft.guarded(tap, "10.64.0.99"), 20, "the orphan to be guarded",
                      describe=self.cell.log_tail)
        self.assertEqual(machine.bridge_ports("stellwerk0"), [tap])
        self.book("present")
        self.assertTrue(nft.guarded(tap, "10.64.0.99"), "a new port took the orphan's guards")
        machine.virsh("destroy", lost)
        waiting.until(lambda: not nft.guarded(tap), 20, "its guards to go with it",
                      describe=self.cell.log_tail)


if __name__ == "__main__":
    unittest.main(verbosity=2)
