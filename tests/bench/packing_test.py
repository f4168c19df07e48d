"""Verdicts and arithmetic of the packing benches; no guests, nothing is replayed."""

import pathlib
import sys
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import compaction  # noqa: E402
import lp_bound  # noqa: E402
import packing  # noqa: E402
import peer  # noqa: E402
from snapshot import Shape  # noqa: E402


def report(lost, too_large, asked):
    return {"rejected_vcpu_seconds": lost, "too_large_vcpu_seconds": too_large,
            "rejected_vcpu_fraction": lost / asked}


class Rejected(unittest.TestCase):
    def test_what_no_host_could_hold_does_not_count(self):
        self.assertAlmostEqual(packing.rejected(report(19, 10, 100)), 0.1)
        self.assertEqual(packing.rejected(report(10, 10, 100)), 0)
        self.assertEqual(packing.rejected(report(0, 0, 100)), 0)


class Verdicts(unittest.TestCase):
    @staticmethod
    def packed(ours, **more):
        return packing.Packing("row", ours, {"a": 5.0, "b": 7.0}, 1, **more)

    def test_ours_must_be_at_most_the_best_of_the_others(self):
        self.assertTrue(self.packed(5.0).holds)
        self.assertFalse(self.packed(5.1).holds)

    def test_where_more_is_better_it_must_be_at_least_the_best(self):
        self.assertTrue(self.packed(7.0, most=True).holds)
        self.assertFalse(self.packed(6.9, most=True).holds)

    def test_who_cannot_be_compared_is_shown_in_brackets(self):
        row = self.packed(6.9, left_out=("a",))
        self.assertTrue(row.holds)
        self.assertIn("(5.0)", row.cells())
        self.assertFalse(self.packed(1.0, left_out=("a", "b")).holds)

    def test_what_we_could_do_if_told_is_not_judged(self):
        self.assertFalse(self.packed(6.0, told=1.0).holds)

    def test_contestants_are_compared_if_they_reject_no_more(self):
        reports = {name: report(1.0, 0, 100) | {"x": 1} for name in packing.CONTESTANTS}
        reports["fgd"] = report(2.0, 0, 100) | {"x": 0}
        row = packing.comparable_row("row", reports, lambda r: r["x"], 1)
        self.assertEqual((row.left_out, row.holds), (("fgd",), True))

    def test_a_bound_that_somebody_beat_is_a_defect(self):
        linear = lp_bound.Bound(11, 10.5, 3, True)
        self.assertTrue(packing.Gap("row", 10, linear, 12, 11).holds)
        self.assertFalse(packing.Gap("row", 10, linear, 12, 10).holds)

    def test_what_is_not_installed_was_not_shown(self):
        self.assertFalse(packing.Gap("row", 10, None, 12, 11).holds)
        row = peer.Beside("row", 10, None, 12)
        self.assertFalse(row.holds)
        self.assertIn(peer.INSTALL, row.cells())

    def test_the_summary_counts_rows_and_takes_medians(self):
        rows = [packing.Packing("row", ours, dict.fromkeys(packing.POLICIES, 10.0), 1)
                for ours in (9.0, 10.0, 12.0)]
        cells = packing.Summary("t", rows).cells()
        self.assertEqual(cells[:3], ["t", "2 of 3", "+0.0"])


class Compaction(unittest.TestCase):
    def test_the_least_number_that_is_enough_is_found(self):
        for least in range(1, 40):
            self.assertEqual(compaction.fewest(lambda n: n >= least, 0, 7), least)

    def test_a_seed_orders_the_hosts_and_keeps_their_number(self):
        shapes = [Shape(4, 8), Shape(8, 16, 2)]
        one, other = (tomllib.loads(compaction.fleet_text(shapes, seed, 50))["host"]
                      for seed in (1, 2))
        kinds = [[host["vcpus"] for host in fleet] for fleet in (one, other)]
        self.assertNotEqual(kinds[0], kinds[1])
        self.assertEqual(sorted(kinds[0]), sorted(kinds[1]))
        self.assertEqual([host["numa_nodes"] for host in one if host["vcpus"] == 8], [2] * 25)

    def test_all_guests_come_at_once_and_stay(self):
        row = {"arrival_s": "5", "departure_s": "9", "instance": "i", "project": "p", "vcpus": "2",
               "memory_mib": "4", "priority": "0"}
        self.assertEqual(compaction.trace_text([row]).splitlines()[1], "0,,i,p,2,4,0,,,,")


class Peer(unittest.TestCase):
    def test_a_mix_is_more_than_the_fleet_and_short_of_memory_alone(self):
        guests = peer.mix(1, 10)
        memory = sum(guest[1] for guest in guests)
        self.assertGreater(memory, 10 * peer.HOST_MEMORY_MIB)
        self.assertLess(sum(guest[0] for guest in guests), 10 * peer.HOST_VCPUS)
        self.assertEqual(guests, peer.mix(1, 10))

    def test_a_cluster_has_its_nodes_and_nothing_on_them(self):
        lines = peer.empty_cluster(2).splitlines()
        self.assertEqual([line.count("|") for line in lines[2:4]], [14, 14])
        # Two sections, of instances and of tags, are empty.
        self.assertEqual(lines[4:7], ["", "", ""])
        self.assertEqual(len(lines), 9)


if __name__ == "__main__":
    unittest.main()
