#!/usr/bin/python3
"""./dev bench placement: how fast the placement engine decides, and how tightly it packs.

Speed: a fleet at 85 % load in which guests come and go (churn_bench), on one core. Packing: every
trace in tests/data/traces, replayed by `stellwerk simulate` with our policy and with each of the
others, on a pool that is sized so that best fit rejects about 1 % of the vCPU time, and on a pool
that is never full.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import sheet

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("STELLWERK_BIN", HERE.parents[1] / "build/bin"))
TRACES = HERE.parent / "data/traces"
POLICIES = ["first-fit", "best-fit", "worst-fit", "dot-product", "l2", "fgd", "fgd-in-use"]
# Hosts on which processors, memory, and neither alone are what is short.
SHAPES = [(64, 128 * 1024), (64, 180224), (64, 256 * 1024), (48, 384 * 1024)]
WANTED_REJECTION = 0.01
MORE_THAN_ENOUGH = 2.0  # times the hosts on which best fit rejects so much


@dataclasses.dataclass
class Goal:
    """Decisions a second, the 99th percentile in µs and memory in MB that a fleet asks for."""
    hosts: int
    rate: int
    p99: float
    memory: float | None


GOALS = [Goal(1_000, 500_000, 5, None), Goal(10_000, 300_000, 10, 50),
         Goal(100_000, 150_000, 30, 500)]


@dataclasses.dataclass
class Speed:
    fleet: str
    goal: Goal
    runs: list  # reports of churn_bench
    judged: bool

    def values(self, read):
        return [read(run) for run in self.runs]

    def median(self, read):
        return statistics.median(self.values(read))

    @staticmethod
    def rate(run):
        return run["decisions_per_second"]

    @staticmethod
    def latency(part):
        return lambda run: run["latency_ns"][part] / 1000

    @property
    def holds(self):
        if not self.judged:
            return True
        return (self.median(self.rate) >= self.goal.rate
                and self.median(self.latency("p99")) <= self.goal.p99
                and (self.goal.memory is None
                     or self.median(lambda run: run["memory_mib"] * 1.048576) <= self.goal.memory))

    def cells(self):
        wanted = f"≥ {self.goal.rate:,}, p99 ≤ {self.goal.p99:g}"
        if self.goal.memory:
            wanted += f", ≤ {self.goal.memory:g} MB"
        return [self.fleet, sheet.spread(self.values(self.rate)),
                sheet.spread(self.values(self.latency("p50")), 2),
                sheet.spread(self.values(self.latency("p99")), 2),
                sheet.spread(self.values(self.latency("p999")), 1),
                f"{self.median(lambda run: run['memory_mib'] * 1.048576):.0f}",
                wanted if self.judged else "told, not judged"]

    def as_json(self):
        return {"fleet": self.fleet, "runs": self.runs, "judged": self.judged,
                "goal": dataclasses.asdict(self.goal), "holds": self.holds}


SPEED_HEAD = ["fleet", "decisions/s", "p50, µs", "p99, µs", "p99.9, µs", "memory, MB", "goal"]


def churn(goal, guarantee, mixed):
    words = [BIN / "churn_bench", "--hosts", str(goal.hosts), "--decisions", "200000"]
    words += [] if mixed else ["--plain"]
    words += ["--guarantee", "rack"] if guarantee else []
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=1200)
    return json.loads(done.stdout)


def measure_speed(options):
    rows = []
    for goal in GOALS:
        if goal.hosts > options.most_hosts:
            continue
        kinds = [("flavors alone", False, False, goal),
                 ("flavors alone, guarantee at rack level", True, False,
                  dataclasses.replace(goal, rate=goal.rate // 2, p99=goal.p99 * 2, memory=None)),
                 ("also labels, groups, NUMA, pinning, devices", False, True, goal)]
        for name, guarantee, mixed, wanted in kinds:
            title = f"{goal.hosts:,} hosts, {name}"
            sheet.say(title)
            runs = [churn(goal, guarantee, mixed) for _ in range(options.runs)]
            rows.append(Speed(title, wanted, runs, not mixed))
    return rows


class Replay:
    """`stellwerk simulate` on one trace and one shape of hosts."""

    def __init__(self, trace, shape, scratch):
        self.trace, self.shape, self.scratch = trace, shape, scratch

    def run(self, policy, hosts):
        report = self.scratch / "report.json"
        vcpus, memory = self.shape
        subprocess.run(
            [BIN / "stellwerk", "simulate", "--trace", self.trace, "--policy", policy,
             "--hosts", str(hosts), "--host-vcpus", str(vcpus), "--host-memory-mib", str(memory),
             "--hosts-per-rack", "24", "--sites", "2", "--report", report],
            capture_output=True, text=True, check=True, timeout=1200)
        return json.loads(report.read_text("utf-8"))

    def hosts_for(self, part):
        """The fewest hosts on which best fit rejects at most so much."""
        low, high = 1, 64
        while self.run("best-fit", high)["rejected_vcpu_fraction"] > part:
            low, high = high, high * 2
        while high - low > max(1, high // 200):
            middle = (low + high) // 2
            if self.run("best-fit", middle)["rejected_vcpu_fraction"] > part:
                low = middle
            else:
                high = middle
        return low  # just above `part`, so that there is something to be better at


@dataclasses.dataclass
class Packing:
    what: str
    ours: float
    others: dict  # by policy
    digits: int

    @property
    def holds(self):
        return self.ours <= min(self.others.values()) * 1.0001 + 10 ** -(self.digits + 1)

    def cells(self):
        best = min(self.others, key=self.others.get)
        shown = [f"{self.others[name]:.{self.digits}f}" for name in POLICIES]
        return [self.what, f"{self.ours:.{self.digits}f}", *shown,
                f"{best} {self.others[best]:.{self.digits}f}"]

    def as_json(self):
        return {"what": self.what, "ours": self.ours, "others": self.others, "holds": self.holds}


PACKING_HEAD = ["trace, hosts", "ours", *POLICIES, "best of the others"]


def measure_packing(traces):
    rejected, average, peak, told = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for trace in traces:
            for shape in SHAPES:
                replay = Replay(trace, shape, pathlib.Path(folder))
                pool = replay.hosts_for(WANTED_REJECTION)
                title = (f"{trace.name.removesuffix('.xz').removesuffix('.csv')}, {pool} of "
                         f"{shape[0]} × {shape[1] // 1024} GiB")
                sheet.say(title)
                names = ["default", *POLICIES]
                tight = {name: replay.run(name, pool) for name in names}
                loose = {name: replay.run(name, int(pool * MORE_THAN_ENOUGH)) for name in names}

                def row(reports, read, digits, kind=title):
                    values = {name: read(report) for name, report in reports.items()}
                    return Packing(kind, values.pop("default"), values, digits)

                rejected.append(row(tight, lambda r: 100 * r["rejected_vcpu_fraction"], 3))
                average.append(row(loose, lambda r: 100 * (
                    r["time_avg_hosts_used"] / r["bound_time_avg_hosts"] - 1), 2))
                peak.append(row(loose, lambda r: r["peak_hosts_used"], 0))
                told.append(row(loose, lambda r: 100 * r["stranded_vcpu_fraction"], 2,
                                title + ", vCPUs"))
                told.append(row(loose, lambda r: 100 * r["stranded_memory_fraction"], 2,
                                title + ", memory"))
    return rejected, average, peak, told


def main():
    parser = argparse.ArgumentParser(prog="./dev bench placement", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each row of speed (default 3)")
    parser.add_argument("--most-hosts", type=int, default=100_000,
                        help="leave out larger fleets of the table of speed")
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--trace", action="append", type=pathlib.Path,
                        help="replay this one instead of those in tests/data/traces")
    sheet.add_options(parser)
    options = parser.parse_args()
    page = sheet.Sheet(sheet.command_line("placement"), sheet.this_machine(HERE))
    page.add("Speed: medians of the runs (least–most)", SPEED_HEAD, measure_speed(options))
    if not options.speed_only:
        traces = options.trace or sorted(TRACES.glob("*.csv.xz"))
        rejected, average, peak, stranded = measure_packing(traces)
        page.add("Rejected vCPU time, %, on a pool that is a little too small", PACKING_HEAD,
                 rejected)
        page.add("Hosts in use over the volume bound, time average, %, on a large pool",
                 PACKING_HEAD, average)
        page.add("Hosts in use at the peak, on a large pool", PACKING_HEAD, peak)
        page.add("Stranded on hosts in use, time average, %", PACKING_HEAD, stranded)
    return page.hand_in(options)


if __name__ == "__main__":
    sys.exit(main())
