"""Verdicts, figures and tables of the benches; no guests."""

import argparse
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sheet  # noqa: E402

MACHINE = {"cpu": "a processor", "cores": 2, "memory_gib": 4.0, "kernel": "6", "libvirt": "9",
           "qemu": "7", "file_system": "ext4", "load_before": 0.1}


def overhead(ours, by_hand):
    return sheet.Overhead("start", [ours], [by_hand], [ours])


class Verdicts(unittest.TestCase):
    def test_a_step_may_cost_a_tenth_or_100_ms_more_whichever_is_larger(self):
        self.assertTrue(overhead(600, 500).holds)
        self.assertFalse(overhead(601, 500).holds)
        self.assertTrue(overhead(5500, 5000).holds)
        self.assertFalse(overhead(5501, 5000).holds)

    def test_medians_are_compared(self):
        row = sheet.Overhead("stop", [100, 110, 9000], [100, 105, 110], [1, 2, 3])
        self.assertEqual(row.over, 5)
        self.assertEqual(row.cells()[1], "110 (100–9000)")

    def test_a_value_must_stay_under_its_limit(self):
        self.assertTrue(sheet.Limit("PSS", 39.9, 40, "MB").holds)
        self.assertFalse(sheet.Limit("PSS", 40, 40, "MB").holds)
        self.assertTrue(sheet.Limit("RSS", 400, None, "MB").holds)

    def test_percentiles_are_values_that_were_measured(self):
        values = list(range(1, 201))
        self.assertEqual(sheet.percentile(values, 0.99), 198)
        self.assertEqual(sheet.percentile(values, 0.5), 100)
        self.assertEqual(sheet.percentile([7], 0.99), 7)


class Pages(unittest.TestCase):
    def hand_in(self, rows, *words):
        page = sheet.Sheet("./dev bench host", MACHINE)
        page.add("Steps", sheet.OVERHEAD_HEAD, rows)
        parser = argparse.ArgumentParser()
        sheet.add_options(parser)
        with contextlib.redirect_stdout(io.StringIO()) as out, \
                contextlib.redirect_stderr(io.StringIO()) as told:
            code = page.hand_in(parser.parse_args(words))
        return code, out.getvalue(), told.getvalue()

    def test_a_missed_limit_is_named_and_ends_with_1(self):
        code, out, told = self.hand_in([overhead(601, 500)])
        self.assertEqual(code, 1)
        self.assertIn("MISSED", out)
        self.assertIn("missed: start", told)
        self.assertEqual(self.hand_in([overhead(600, 500)])[0], 0)
        self.assertEqual(self.hand_in([overhead(601, 500)], "--lenient")[0], 0)

    def test_markdown_is_a_table_with_the_machine_and_the_command(self):
        _, out, _ = self.hand_in([overhead(600, 500)], "--markdown")
        for text in ("`./dev bench host`", "a processor, 2 cores", "| step | ours, ms |",
                     "| start | 600 (600–600) | 500 (500–500) | +100 | 100 |", "| yes |"):
            self.assertIn(text, out)

    def test_json_holds_every_single_measurement(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "page.json"
            self.hand_in([overhead(601, 500)], "--json", str(file))
            told = json.loads(file.read_text("utf-8"))
        self.assertEqual((told["machine"], told["holds"]), (MACHINE, False))
        self.assertEqual(told["tables"][0]["rows"][0]["ours_ms"], [601])


if __name__ == "__main__":
    unittest.main(verbosity=2)
