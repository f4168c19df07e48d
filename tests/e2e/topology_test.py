"""Sites, zones, feeds and racks, where the host stands, and groups: from the command line, across a
restart of the daemon, and away again."""

import unittest

from lab.case import CellCase


def path_of(name):
    """dc1/a/r07 of sites/dc1/zones/a/racks/r07."""
    return "/".join(name.split("/")[1::2])


class Topology(CellCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.host = path_of(cls.cell.json("host", "list")[0]["name"])

    def enter(self):
        self.cell.cli("site", "create", "dc1")
        self.cell.cli("zone", "create", "dc1/a")
        self.cell.cli("feed", "create", "dc1/f1", "--budget", "40kW")
        self.cell.cli("feed", "create", "dc1/f2", "--budget", "40000W")
        self.cell.cli("rack", "create", "dc1/a/r07", "--feed", "dc1/f1", "--feed", "dc1/f2",
                      "--power-limit", "8kW")

    def show(self, noun, name):
        return self.cell.json(noun, "show", name)

    def check_all_there(self):
        self.assertEqual(self.show("site", "dc1")["rackCount"], "1")
        self.assertEqual(self.show("zone", "dc1/a")["hostCount"], "1")
        self.assertEqual(self.show("feed", "dc1/f1")["budgetWatts"], "30000")
        rack = self.show("rack", "dc1/a/r07")
        self.assertEqual([path_of(feed) for feed in rack["feeds"]], ["dc1/f1", "dc1/f2"])
        self.assertEqual(rack["powerLimitWatts"], "8000")
        host = self.show("host", self.host)
        self.assertEqual(path_of(host["rack"]), "dc1/a/r07")
        self.assertEqual(host["labels"], {"gpu": "l40s"})
        self.assertEqual((host["idleWatts"], host["peakWatts"]), ("120", "600"))
        self.assertTrue(host["maintenance"])
        self.assertIn("maintenance", self.cell.cli("host", "list"))
        group = self.show("group", "web")
        self.assertEqual([(rule["policy"], rule["level"]) for rule in group["rules"]],
                         [("ANTI_AFFINITY", "RACK"), ("AFFINITY", "SITE")])

    def refuse_bad_input(self):
        self.refused("zone", "create", "dc9/a", names=["parent", "dc9", "create it first"])
        self.refused("rack", "create", "r07", names=["SITE/ZONE/RACK"], code=2)
        self.refused("rack", "create", "dc1/z/R8", "--feed", "dc1/f9", "--power-limit", "0W",
                     names=["rack_id", "parent", "feeds[0]", "power_limit_watts"])
        self.refused("rack", "create", "dc1/a/r08", "--feed", "dc1/f1", "--feed", "dc1/f1",
                     names=["feeds[1]", "named twice"])
        self.refused("feed", "create", "dc1/f3", "--budget", "200MW", names=["budget_watts"])
        self.refused("feed", "create", "dc1/f3", "--budget", "40", names=["no unit"], code=2)
        self.refused("host", "update", self.host, "--rack", "dc1/a/r99", names=["host.rack"])
        self.refused("host", "update", self.host, "--power", "idle=700W,peak=600W",
                     names=["peak_watts", "idle"])
        self.refused("group", "create", "web", "--rule", "affinity:rack",
                     "--rule", "anti-affinity:site", names=["contradicts"])
        self.refused("group", "create", "web", "--rule", "near:rack", names=["policies"], code=2)

    def place_the_host(self):
        self.cell.cli("host", "update", self.host, "--label", "gpu=l40s", "--label", "old=yes",
                      "--rack", "dc1/a/r07", "--power", "idle=120W,peak=600W")
        self.cell.cli("host", "update", self.host, "--remove-label", "old")
        self.cell.cli("host", "maintenance", "on", self.host)
        self.cell.cli("feed", "update", "dc1/f1", "--budget", "30kW")
        self.cell.cli("group", "create", "web", "--rule", "anti-affinity:rack",
                      "--rule", "affinity:site:soft")

    def delete_in_order(self):
        self.refused("rack", "delete", "dc1/a/r07", names=["has 1 host", self.host])
        self.refused("feed", "delete", "dc1/f1", names=["has 1 rack", "dc1/a/r07"])
        self.refused("zone", "delete", "dc1/a", names=["has 1 rack", "dc1/a/r07"])
        self.refused("site", "delete", "dc1", names=["1 zone: dc1/a", "2 feeds: dc1/f1, dc1/f2"])
        self.cell.cli("host", "maintenance", "off", self.host)
        self.cell.cli("host", "update", self.host, "--rack", "none", "--unlabel", "gpu")
        for words in (("rack", "dc1/a/r07"), ("feed", "dc1/f1"), ("feed", "dc1/f2"),
                      ("zone", "dc1/a"), ("site", "dc1"), ("group", "web")):
            noun, name = words
            self.assertEqual(self.cell.cli(noun, "delete", name), f"{noun} {name} is deleted\n")
            left = self.cell.json(noun, "list")
            self.assertNotIn(name, [path_of(one["name"]) for one in left])
            self.refused(noun, "show", name, names=["does not exist"])
        for kind in ("site", "zone", "rack", "feed", "group"):
            self.assertEqual(self.cell.stored_keys(f"{kind}/"), [])

    def test_what_is_entered_is_kept_until_it_is_deleted_in_the_right_order(self):
        self.enter()
        self.refuse_bad_input()
        self.place_the_host()
        self.check_all_there()
        self.cell.restart()
        self.check_all_there()
        self.assertIn("HostUpdated", [event["type"] for event in
                                      self.cell.events("--project", "-")])
        self.delete_in_order()
        self.assertFalse(self.show("host", self.host)["maintenance"])


if __name__ == "__main__":
    unittest.main()
