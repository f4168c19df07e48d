"""`stellwerk simulate`, the real program without a daemon: reports that were computed by hand, and
every input that is refused.

STELLWERK_BIN: the folder of the programs. The golden reports lie in tests/golden/simulate.
"""

import json
import lzma
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

STELLWERK = pathlib.Path(os.environ["STELLWERK_BIN"]) / "stellwerk"
TESTS = pathlib.Path(__file__).resolve().parent.parent
TRACES = TESTS / "data" / "traces"
GOLDEN = TESTS / "golden" / "simulate"
HEADER = "arrival_s,departure_s,instance,project,vcpus,memory_mib,priority"
GENERATED = ("--hosts", "2", "--host-vcpus", "4", "--host-memory-mib", "8192")
# What depends on the machine.
MEASURED = ("decisions_per_second", "latency_ns")


class Simulate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.report = self.folder / "report.json"

    def run_it(self, *words, folder=TRACES):
        # No daemon is there, and none is asked for.
        return subprocess.run([STELLWERK, "simulate", "--endpoint", "unix:///nowhere/socket",
                               "--report", self.report, *words], cwd=folder, check=False,
                              capture_output=True, text=True, timeout=120)

    def report_of(self, *words):
        done = self.run_it(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(self.report.read_text())

    def write(self, name, *lines):
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def refused(self, message, *words):
        done = self.run_it(*words)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        self.assertIn(message, done.stderr)
        self.assertFalse(self.report.exists())

    def bad_trace(self, message, *rows, header=HEADER):
        path = self.write("bad.csv", header, *rows)
        self.refused(f"{path}:{message}", *GENERATED, "--trace", path)

    def bad_fleet(self, message, *lines):
        path = self.write("bad.toml", *lines)
        self.refused(f"{path}:{message}", "--fleet", path, "--trace", "small.csv")


class Reports(Simulate):
    def check(self, name, *words):
        report = self.report_of(*words)
        for key in MEASURED:
            self.assertIn(key, report)
            del report[key]
        golden = json.loads((GOLDEN / name).read_text())
        self.assertEqual(list(report), list(golden))
        for key, value in golden.items():
            with self.subTest(key):
                if isinstance(value, float):
                    self.assertAlmostEqual(report[key], value, places=9)
                else:
                    self.assertEqual(report[key], value)

    SMALL = ("--policy", "first-fit", "--fleet", "fleet.toml", "--limit-hosts", "2", "--trace",
             "small.csv")

    def test_rejecting(self):
        self.check("reject.json", *self.SMALL)

    def test_waiting(self):
        self.check("wait.json", *self.SMALL, "--on-full", "wait")

    def test_losing_a_site(self):
        self.check("lose_site.json", "--policy", "first-fit", "--fleet", "fleet.toml", "--trace",
                   "groups.csv", "--what-if", "lose site dc1 at 40")

    def test_a_real_trace_fits_as_it_should(self):
        """On 700 hosts: nothing is refused but what is larger than a host."""
        report = self.report_of("--hosts", "700", "--host-vcpus", "64", "--host-memory-mib",
                                "180224", "--sites", "2", "--trace",
                                "azure-packing-2020/trace_0.csv.xz", "--plots",
                                self.folder / "plots")
        self.assertEqual(report["rows"], {"from": 1, "count": 52314})
        self.assertEqual(report["placed"] + report["rejected"], 52314)
        self.assertEqual(report["rejections"], {"too-large": 121})
        self.assertGreaterEqual(report["time_avg_hosts_used"], report["bound_time_avg_hosts"])
        self.assertGreaterEqual(report["peak_hosts_used"], report["bound_peak_hosts"])
        for name in ("load", "racks", "rejections"):
            root = xml.etree.ElementTree.parse(self.folder / "plots" / f"{name}.svg").getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")

    def test_the_same_case_gives_the_same_report_and_plots(self):
        words = ("--hosts", "60", "--host-vcpus", "64", "--host-memory-mib", "180224", "--trace",
                 "azure-packing-2020/trace_0.csv.xz", "--rows", "3000", "--failover", "rack",
                 "--hosts-per-rack", "10", "--what-if", "lose rack dc1/a/r02 at 10m", "--plots")
        seen = []
        for folder in ("a", "b"):
            report = self.report_of(*words, self.folder / folder)
            for key in MEASURED:
                del report[key]
            plots = sorted((self.folder / folder).iterdir())
            self.assertEqual(len(plots), 3)
            seen.append((report, [plot.read_bytes() for plot in plots]))
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0][0]["what_if"][0]["broken_backups"], 0)

    def test_crlf_and_a_byte_order_mark_are_taken(self):
        path = self.folder / "windows.csv"
        path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n0,,a,p,1,1,0\r\n".encode())
        self.assertEqual(self.report_of(*GENERATED, "--trace", path)["placed"], 1)


class BadTraces(Simulate):
    def test_rows(self):
        self.bad_trace("2: arrival_s: \"x\" is not a whole number", "x,,a,p,1,1,0")
        self.bad_trace("2: arrival_s: \"nan\" is not finite", "nan,,a,p,1,1,0")
        self.bad_trace("2: departure_s: \"inf\" is not finite", "0,inf,a,p,1,1,0")
        self.bad_trace("2: arrival_s: -1 is negative", "-1,,a,p,1,1,0")
        self.bad_trace("2: memory_mib: \"99999999999999999999\" is larger than any number here",
                       "0,,a,p,1,99999999999999999999,0")
        self.bad_trace("2: vcpus: 5000 is too much", "0,,a,p,5000,1,0")
        self.bad_trace("2: departure_s: 4 is before the arrival at 5", "5,4,a,p,1,1,0")
        self.bad_trace("3: arrival_s: 4 comes after 5", "5,,a,p,1,1,0", "4,,b,p,1,1,0")
        self.bad_trace("4: instance: \"a\" is in line 2 already", "5,,a,p,1,1,0", "5,,b,p,1,1,0",
                       "6,,a,p,1,1,0")
        self.bad_trace("2: has 6 fields, the header 7: priority is missing", "5,,a,p,1,1")
        self.bad_trace("2: has 8 fields, the header 7", "5,,a,p,1,1,0,0")
        self.bad_trace("3: is empty", "5,,a,p,1,1,0", "", "6,,b,p,1,1,0")

    def test_columns(self):
        self.bad_trace("1: column 8 is \"colour\"", header=HEADER + ",colour")
        self.bad_trace("1: column 7 is missing: priority", header=HEADER.rsplit(",", 1)[0])
        self.bad_trace("1: column 9 is gpus a second time", header=HEADER + ",gpus,gpus")

    def test_groups(self):
        header = HEADER + ",group,group_policy,group_level"
        self.bad_trace("2: group_policy: \"near\" is none of", "0,,a,p,1,1,0,g,near,host",
                       header=header)
        self.bad_trace("3: group_policy: group \"g\" is anti-affinity at the level host here and "
                       "affinity at the level host in an earlier row",
                       "0,,a,p,1,1,0,g,affinity,host", "0,,b,p,1,1,0,g,anti-affinity,host",
                       header=header)

    def test_without_rows(self):
        self.bad_trace(" has no row after its columns")
        path = self.folder / "empty.csv"
        path.touch()
        self.refused(f"{path}: is empty", *GENERATED, "--trace", path)
        self.refused("No such file", *GENERATED, "--trace", "nowhere.csv")

    def test_damaged_xz(self):
        whole = lzma.compress(f"{HEADER}\n0,,a,p,1,1,0\n".encode())
        path = self.folder / "t.csv.xz"
        path.write_bytes(whole)
        self.assertEqual(self.report_of(*GENERATED, "--trace", path)["placed"], 1)
        self.report.unlink()
        for bytes_, message in ((whole[:-5], "it ends too early"), (whole[:20], "it ends too early"),
                                (b"no xz at all, but text", "it is no xz file"),
                                (whole[:40] + b"\x00\xff" + whole[42:], "cannot decompress")):
            path.write_bytes(bytes_)
            with self.subTest(message):
                self.refused(message, *GENERATED, "--trace", path)


class BadFleets(Simulate):
    SITE = ('[[site]]', 'name = "dc1"', '[[zone]]', 'name = "dc1/a"', '[[rack]]',
            'name = "dc1/a/r01"')
    HOST = ('[[host]]', 'name = "h"', 'rack = "dc1/a/r01"', 'vcpus = 4', 'memory_mib = 1024')

    def test_files(self):
        self.bad_fleet("2: ", "a = 1", "b =")
        self.bad_fleet("1: there is no host")
        self.bad_fleet("13: host.name: \"h\" is there already", *self.SITE, *self.HOST, *self.HOST)
        self.bad_fleet("3: host.rack: there is no rack \"dc1/a/r01\"", *self.HOST)
        self.bad_fleet("12: host: \"vcpu\" is no key of it; did you mean \"vcpus\"?", *self.SITE,
                       *self.HOST, "vcpu = 3")
        self.bad_fleet("4: site.name: \"dc1\" is there already", *self.SITE[:2], *self.SITE)

    def test_options(self):
        trace = ("--trace", "small.csv")
        self.refused("no fleet is given", *trace)
        self.refused("exclude each other", *trace, *GENERATED, "--fleet", "fleet.toml")
        self.refused("the fleet has 2", *trace, *GENERATED, "--limit-hosts", "3")
        self.refused("--policy", *trace, *GENERATED, "--policy", "magic")
        self.refused("row 7 asked, the trace has 6", *trace, *GENERATED, "--from-row", "7")

    def test_what_ifs(self):
        trace = ("--trace", "small.csv", *GENERATED)
        self.refused("what if \"explode\"", *trace, "--what-if", "explode")
        self.refused("there is no site \"dc2\"", *trace, "--what-if", "lose site dc2 at 3d")
        self.refused("there is no rack \"dc1/a/r07\"", *trace, "--what-if",
                     "add 8 hosts to rack dc1/a/r07")


if __name__ == "__main__":
    unittest.main()
