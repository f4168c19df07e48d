"""Bounds on hosts, and the moment at which they are taken; no guests."""

import collections
import itertools
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lp_bound  # noqa: E402
import snapshot  # noqa: E402
from snapshot import Shape  # noqa: E402


def row(arrival, departure, vcpus, memory):
    return {"arrival_s": str(arrival), "departure_s": str(departure), "vcpus": str(vcpus),
            "memory_mib": str(memory)}


class Snapshot(unittest.TestCase):
    def test_the_peak_is_when_most_hosts_are_needed(self):
        rows = [row(0, 10, 4, 1), row(5, 20, 2, 8), row(10, "", 3, 8), row(15, 15, 1, 1),
                row(30, "", 4, 1)]
        running, hosts = snapshot.at_peak(rows, Shape(4, 8))
        self.assertEqual((running, hosts), ([rows[1], rows[2], rows[3]], 3))

    def test_what_no_host_would_hold_is_left_out(self):
        running, hosts = snapshot.at_peak([row(0, "", 9, 1), row(0, "", 1, 1)], Shape(8, 8))
        self.assertEqual((len(running), hosts), (1, 1))

    def test_the_scarcer_of_both_decides(self):
        self.assertEqual(snapshot.volume_bound((9, 9), Shape(4, 8)), 3)
        self.assertEqual(snapshot.volume_bound((4, 25), Shape(4, 8)), 4)


def fewest(guests, shape):
    """By trying everything."""
    for hosts in itertools.count(1):
        for places in itertools.product(range(hosts), repeat=len(guests)):
            sums = [[0, 0] for _ in range(hosts)]
            for place, guest in zip(places, guests):
                sums[place][0] += guest[0]
                sums[place][1] += guest[1]
            if all(shape.holds(one) for one in sums):
                return hosts


@unittest.skipUnless(lp_bound.installed(), f"no {lp_bound.SOLVER}: {lp_bound.INSTALL}")
class LinearBound(unittest.TestCase):
    def test_it_sees_what_volume_does_not(self):
        # Three vCPUs of four each: by volume 75 hosts, but no host holds two.
        bound = lp_bound.bound_of({(3, 1): 100}, Shape(4, 64))
        self.assertEqual((bound.hosts, bound.exact), (100, True))

    def test_both_resources_count(self):
        # Two of one kind and one of the other fill a host; neither resource alone says so.
        bound = lp_bound.bound_of({(3, 1): 20, (2, 6): 10}, Shape(8, 8))
        self.assertEqual(bound.hosts, 10)

    def test_fractions_of_patterns_are_rounded_up(self):
        bound = lp_bound.bound_of({(2, 2): 7}, Shape(4, 4))
        self.assertEqual((bound.hosts, bound.linear), (4, 3.5))

    def test_it_never_exceeds_what_is_possible(self):
        drawn = random.Random(4)
        for _ in range(8):
            guests = [(drawn.randint(1, 5), drawn.randint(1, 8)) for _ in range(5)]
            bound = lp_bound.bound_of(collections.Counter(guests), Shape(6, 9))
            possible = fewest(guests, Shape(6, 9))
            volume = snapshot.volume_bound([sum(part) for part in zip(*guests)], Shape(6, 9))
            self.assertLessEqual(bound.hosts, possible, guests)
            self.assertGreaterEqual(bound.hosts, volume, guests)


if __name__ == "__main__":
    unittest.main()
