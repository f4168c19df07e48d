"""Where instances may run: groups, wishes, several at once, and what the daemon says of it, on the
one host that there is."""

import unittest

from lab.case import TINY_FLAVOR, TINY_IMAGE, CellCase, short_name


class Placed(CellCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.host = short_name(cls.cell.json("host", "list")[0])

    def words(self, *verb):
        return [*verb, "--flavor", TINY_FLAVOR, "--image", TINY_IMAGE]

    def explain(self, name, *more):
        return self.cell.json(*self.words("explain", "instance", name), *more)

    def cannot(self, name, *more, names, code=7):
        before = self.cell.stored_keys("instance/")
        said = self.refused(*self.words("instance", "create", name), *more, names=names, code=code)
        self.assertEqual(self.cell.stored_keys("instance/"), before, "nothing is left of it")
        return said


class Groups(Placed):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.cell.cli("group", "create", "apart", "--rule", "anti-affinity:host")

    def test_members_stay_apart_and_a_second_one_is_told_why(self):
        self.assertTrue(self.explain("db", "--group", "apart")["fits"])
        first = self.book("db-1", "--group", "apart")
        self.assertEqual(short_name({"name": first["group"]}), "apart")
        told = self.explain("db", "--group", "apart")
        self.assertFalse(told.get("fits", False))
        self.assertEqual(told["hosts"], "1")
        self.assertEqual([one["rule"] for one in told["refusals"]], ["group"])
        said = self.cannot("db-2", "--group", "apart", names=["db-2", "group"])
        self.assertNotIn(self.host, said)
        self.cell.cli("instance", "delete", "db-1", "--wait", "--timeout", "60")
        self.assertTrue(self.explain("db", "--group", "apart")["fits"])

    def test_several_are_made_together_or_not_at_all(self):
        self.cannot("web", "--group", "apart", "--count", "3", names=["web-1 to web-3"])
        self.assertEqual(self.cell.json("instance", "list"), [])
        several = self.cell.json(*self.words("instance", "create", "web"), "--count", "2",
                                 "--wait", "--timeout", "90")
        self.assertEqual([short_name(one) for one in several], ["web-1", "web-2"])
        self.assertEqual({one["phase"] for one in several}, {"PHASE_RUNNING"})
        addresses = {one["networkInterfaces"][0]["ipAddress"] for one in several}
        self.assertEqual(len(addresses), 2)
        for one in several:
            self.await_greeting(one["uid"])
        self.cannot("web", "--count", "3", names=["web-1", "taken"], code=4)
        self.assertEqual(len(self.cell.json("instance", "list")), 2)

    def test_a_repeated_request_is_answered_alike(self):
        same = ["--count", "2", "--request-id", "7c0e1f9a-2b44-4d8e-9d0c-6f5c8f0a1b2c"]
        first = self.cell.json(*self.words("instance", "create", "twice"), *same)
        self.cell.cli("instance", "delete", "twice-2", "--wait", "--timeout", "60")
        self.cell.restart()
        again = self.cell.json(*self.words("instance", "create", "twice"), *same)
        self.assertEqual([one["uid"] for one in again], [one["uid"] for one in first])
        self.assertEqual(again[1]["desiredState"], "DELETED")
        self.assertEqual(len(self.cell.json("instance", "list")), 1)

    def test_wishes_are_kept_and_refused_with_what_is_missing(self):
        self.cannot("gpu", "--require-label", "gpu=l40s", names="label")
        self.cannot("gpu", "--within", "dc9", names=["instance.wishes.within", "no site"], code=1)
        self.cannot("gpu", "--host", "nowhere", names=["instance.wishes.host", "no host"], code=1)
        self.cannot("gpu", "--group", "none", names=["instance.group", "apart"], code=1)
        self.cannot("gpu", "--require-label", "a", "--forbid-label", "a",
                    names=["instance.wishes.forbidden_labels", "required and forbidden"], code=1)
        self.cell.cli("host", "update", self.host, "--label", "gpu=l40s")
        booked = self.book("gpu", "--require-label", "gpu=l40s", "--host", self.host, wait=False)
        self.assertEqual(booked["wishes"]["requiredLabels"], ["gpu=l40s"])
        self.cannot("no-gpu", "--forbid-label", "gpu", names="label")
        self.cell.cli("host", "update", self.host, "--unlabel", "gpu")

    def test_a_host_in_maintenance_takes_nothing_new(self):
        kept = self.book("kept")
        self.cell.cli("host", "maintenance", "on", self.host)
        told = self.explain("new")
        self.assertFalse(told.get("fits", False))
        self.assertEqual([one["rule"] for one in told["refusals"]], ["maintenance"])
        self.cannot("new", names="maintenance")
        self.assertEqual(self.cell.instance("kept")["phase"], "PHASE_RUNNING")
        self.cell.cli("host", "maintenance", "off", self.host)
        self.assertTrue(self.explain("new")["fits"])
        self.assertEqual(len(self.qemus_of(kept["uid"])), 1)


class Failover(Placed):
    configuration = {"placement": {"failover": "host"}}

    def test_one_host_cannot_back_itself(self):
        told = self.explain("safe", "--failover")
        self.assertFalse(told.get("fits", False))
        self.assertEqual([one["rule"] for one in told["refusals"]], ["failover"])
        self.cannot("safe", "--failover", names="failover")
        self.assertNotIn("backup", self.book("plain", wait=False))


if __name__ == "__main__":
    unittest.main()
