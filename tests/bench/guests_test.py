"""The benches with guests still run to their end and tell what they should: quick variants. What
they measure on a machine that runs tests is not judged."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
import host_bench  # noqa: E402
from lab import machine  # noqa: E402

PATIENCE = 300


def run_bench(name, *words):
    """What the bench wrote with --json."""
    file = pathlib.Path(os.environ["STELLWERK_LAB"]) / f"{name}.json"
    subprocess.run([sys.executable, HERE / f"{name}_bench.py", "--lenient", "--json", file,
                    *map(str, words)], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    return json.loads(file.read_text("utf-8"))


class Benches(unittest.TestCase):
    def test_host_bench_compares_every_step_and_leaves_no_guest(self):
        told = run_bench("host", "--rounds", 2, "--guests", 2, "--seconds", 1)
        self.assertEqual(machine.domains(), {})
        self.assertIn("QEMU", told["machine"]["qemu"])
        steps, idle = (table["rows"] for table in told["tables"])
        self.assertEqual([row["step"] for row in steps], list(host_bench.STEPS.values()))
        for row in steps:
            for who in ("ours_ms", "by_hand_ms", "cli_ms"):
                self.assertEqual(len(row[who]), 2)
                self.assertGreater(min(row[who]), 1)
        values = {row["what"]: row["value"] for row in idle}
        for guests in (0, 2):
            self.assertGreater(values[f"RSS with {guests} guests"],
                               values[f"PSS with {guests} guests"])
            self.assertIn(f"processor time with {guests} guests, over 1 s", values)

    def test_burst_bench_reads_while_others_create_and_lists_page_by_page(self):
        told = run_bench("burst", "--creates", 12, "--clients", 4, "--bursts", 2, "--running", 2,
                         "--instances", 1500, "--passes", 1)
        self.assertEqual(machine.domains(), {})
        bursts, pages = (table["rows"] for table in told["tables"])
        values = {row["what"]: row["value"] for row in bursts}
        self.assertGreater(values["booked: CreateInstance, median of 24"], 0)
        self.assertGreater(values["started: CreateInstance, median of 2"], 0)
        judged = {row["what"] for row in bursts if row["under"] == 20}
        self.assertEqual(judged, {f"{what}: {call}, 99 %" for what in ("booked", "started")
                                  for call in ("GetInstance", "ListInstances of 100")})
        self.assertEqual([row["what"] for row in pages if row["under"] == 100],
                         ["page of 100, most", "page of 1000, most"])
        self.assertIn("page of 1000, median of 2", [row["what"] for row in pages])


if __name__ == "__main__":
    unittest.main(verbosity=2)
