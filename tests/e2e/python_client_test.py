"""Somebody with nothing but api/proto and Python books an instance and watches it until it runs."""

import subprocess
import unittest

from lab.case import HERE, CellCase

CLIENT = HERE / "python_client" / "book_and_watch.py"


class PythonClient(CellCase):
    def test_books_an_instance_and_watches_it_until_it_runs(self):
        result = subprocess.run(
            ["/usr/bin/python3", CLIENT, f"unix://{self.cell.socket}", "tiny", "tiny",
             "from-python"],
            capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("PhaseChanged", result.stdout)
        instance = self.cell.instance("from-python")
        self.assertEqual(instance["phase"], "PHASE_RUNNING")
        self.await_greeting(instance["uid"])

    def test_needs_no_more_than_some_thirty_lines(self):
        lines = [line for line in CLIENT.read_text("utf-8").splitlines()
                 if line.strip() and not line.startswith("#")]
        self.assertLess(len(lines), 35)


if __name__ == "__main__":
    unittest.main(verbosity=2)
