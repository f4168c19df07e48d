#!/usr/bin/python3
"""./dev bench placement: how fast the placement engine decides, and how tightly it packs.

Speed: a fleet at 85 % load in which guests come and go (churn_bench), on one core. Packing
(packing.py, compaction.py, lp_bound.py): every trace in tests/data/traces, replayed by `stellwerk
simulate` with our policy and with each of the others, on a pool that is sized so that best fit
rejects about 1 % of the vCPU time, on a pool that is never full, and on one in between; what runs
at the peak, packed anew; and what is needed at least. A peer (peer.py): how many guests Ganeti and
we fit into the same fleet while the loss of any host can be survived.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import compaction
import packing
import peer
import sheet
import snapshot

HERE = pathlib.Path(__file__).resolve().parent
TRACES = HERE.parent / "data/traces"


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
    words = [packing.BIN / "churn_bench", "--hosts", str(goal.hosts), "--decisions", "200000"]
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


def measure_packing(options):
    """Rows by table, and those of compaction."""
    rows = {name: [] for name in packing.TABLES}
    compacted = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        for trace in options.trace or sorted(TRACES.rglob("*.csv.xz")):
            asked = snapshot.read(trace)
            shapes = packing.shapes_for(asked, options.shapes)
            for shape in shapes:
                for name, row in packing.measure(trace, shape, asked, scratch).items():
                    rows[name].append(row)
            compacted.append(compaction.measure(trace, asked, packing.shapes_for(asked, 99),
                                                options.orders, scratch))
    return rows, compacted


def add_packing(page, options):
    rows, compacted = measure_packing(options)
    for name, (title, head) in packing.TABLES.items():
        page.add(title, head, rows[name])
    page.add(compaction.TITLE, packing.PACKING_HEAD, compacted)
    summaries = [packing.Summary(name, rows[name]) for name in rows if name != "gap"]
    summaries.append(packing.Summary("compaction", compacted))
    page.add("Packing in short: medians over the rows of how much more we have than each other",
             packing.SUMMARY_HEAD, summaries)


def add_peer(page, options):
    quick = options.shapes == 1
    with tempfile.TemporaryDirectory() as folder:
        page.add(peer.TITLE, peer.HEAD, peer.measure(
            pathlib.Path(folder), peer.FLEETS[:1] if quick else peer.FLEETS,
            peer.SEEDS[:1] if quick else peer.SEEDS))


def main():
    parser = argparse.ArgumentParser(prog="./dev bench placement", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each row of speed (default 3)")
    parser.add_argument("--most-hosts", type=int, default=100_000,
                        help="leave out larger fleets of the table of speed")
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--packing-only", action="store_true")
    parser.add_argument("--peer-only", action="store_true", help="what is beside Ganeti")
    parser.add_argument("--quick", dest="shapes", action="store_const", const=1, default=3,
                        help="pack on hosts of one shape, and one fleet beside Ganeti")
    parser.add_argument("--orders", type=int, default=5,
                        help="of hosts, for compaction (default 5)")
    parser.add_argument("--trace", action="append", type=pathlib.Path,
                        help="replay this one instead of those in tests/data/traces")
    sheet.add_options(parser)
    options = parser.parse_args()
    page = sheet.Sheet(sheet.command_line("placement"), sheet.this_machine(HERE))
    if options.peer_only:
        add_peer(page, options)
        return page.hand_in(options)
    if not options.packing_only:
        page.add("Speed: medians of the runs (least–most)", SPEED_HEAD, measure_speed(options))
    if not options.speed_only:
        add_packing(page, options)
        add_peer(page, options)
    return page.hand_in(options)


if __name__ == "__main__":
    sys.exit(main())
