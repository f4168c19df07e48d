"""How tightly `stellwerk simulate` packs a trace with our policy and with each of the others."""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess

import lp_bound
import sheet
import snapshot
from snapshot import Shape

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("STELLWERK_BIN", HERE.parents[1] / "build/bin"))
OURS = "default"
TOLD = "default, told"  # by --expect-full true that the fleet is going to be full
POLICIES = ["first-fit", "best-fit", "worst-fit", "dot-product", "l2", "fgd", "fgd-in-use"]
CONTESTANTS = [OURS, TOLD, *POLICIES]
# Hosts on which memory, neither alone and processors are what is short; and, for guests bound to
# NUMA nodes, the hosts of those who published such requests.
SHAPES = [Shape(64, 180224), Shape(64, 128 * 1024), Shape(64, 256 * 1024)]
NUMA_SHAPES = [Shape(120, 404 * 1024, 2), Shape(88, 368776, 2)]
WANTED_REJECTION = 0.01
MORE_THAN_ENOUGH = 2.0  # times the hosts on which best fit rejects so much: never full
A_LITTLE_MORE = 1.1  # times as many: full, and hardly anybody is rejected
SAME_REJECTION = 0.0005  # who rejects more than we by more keeps room by doing so


def shapes_for(rows, most):
    shapes = NUMA_SHAPES if snapshot.asks_for_nodes(rows) else SHAPES
    return shapes[:most]


def simulate(words, report):
    """The report of `stellwerk simulate`."""
    subprocess.run([BIN / "stellwerk", "simulate", *map(str, words), "--report", report],
                   capture_output=True, text=True, check=True, timeout=1200)
    return json.loads(report.read_text("utf-8"))


def words_of(contestant):
    if contestant == TOLD:
        return ["--policy", OURS, "--expect-full", "true"]
    return ["--policy", contestant]


def rejected(report):
    """Of the vCPU time that an empty host could hold: what was rejected, 0 to 1."""
    lost, too_large = report["rejected_vcpu_seconds"], report["too_large_vcpu_seconds"]
    if lost <= too_large:
        return 0.0
    asked = lost / report["rejected_vcpu_fraction"]
    return (lost - too_large) / (asked - too_large)


class Replay:
    """One trace on hosts of one shape."""

    def __init__(self, trace, shape, scratch):
        self.trace, self.shape, self.scratch = trace, shape, scratch

    def run(self, contestant, hosts):
        words = ["--trace", self.trace, "--hosts", hosts, "--host-vcpus", self.shape.vcpus,
                 "--host-memory-mib", self.shape.memory_mib, "--hosts-per-rack", 24, "--sites", 2,
                 *words_of(contestant)]
        if self.shape.numa_nodes:
            words += ["--host-numa-nodes", self.shape.numa_nodes]
        return simulate(words, self.scratch / "report.json")

    def run_all(self, hosts):
        return {name: self.run(name, hosts) for name in CONTESTANTS}

    def hosts_for(self, part, about):
        """The most hosts on which best fit still rejects more than that, to half a percent;
        searched from `about` on."""
        low, high = 1, max(2, int(about))
        while rejected(self.run("best-fit", high)) > part:
            low, high = high, high * 5 // 4
        while high - low > max(1, high // 200):
            # Most often it is not far below.
            middle = max((low + high) // 2, min(high - high // 16, high - 1))
            if rejected(self.run("best-fit", middle)) > part:
                low = middle
            else:
                high = middle
        return low


@dataclasses.dataclass
class Packing:
    """One measure of all contestants; the least is best unless `most` says otherwise."""
    what: str
    ours: float
    others: dict  # by policy
    digits: int
    most: bool = False
    told: float | None = None  # ours with what only a planner knows: not judged
    left_out: tuple = ()  # policies that cannot be compared

    @property
    def compared(self):
        return {name: value for name, value in self.others.items() if name not in self.left_out}

    @property
    def best(self):
        pick = max if self.most else min
        return pick(self.compared, key=self.compared.get, default=None)

    @property
    def holds(self):
        if self.best is None:
            return False  # nothing was shown
        slack = abs(self.compared[self.best]) * 1e-4 + 10 ** -(self.digits + 1)
        over = self.ours - self.compared[self.best]
        return -over <= slack if self.most else over <= slack

    def cells(self):
        shown = [f"{value:.{self.digits}f}" if name not in self.left_out else
                 f"({value:.{self.digits}f})" for name, value in self.others.items()]
        told = "" if self.told is None else f"{self.told:.{self.digits}f}"
        best = self.best and f"{self.best} {self.others[self.best]:.{self.digits}f}"
        return [self.what, f"{self.ours:.{self.digits}f}", told, *shown, best or "none"]

    def as_json(self):
        return dataclasses.asdict(self) | {"holds": self.holds}


PACKING_HEAD = ["trace, hosts", "ours", "ours, told", *POLICIES, "best of the others"]


@dataclasses.dataclass
class Gap:
    """How far from what is needed at least. A bound above what somebody needed is a defect."""
    what: str
    volume: int
    linear: lp_bound.Bound | None
    ours: int
    least: int  # of all contestants who rejected nobody but those too large

    @property
    def bound(self):
        return max(self.volume, self.linear.hosts if self.linear else 0)

    @property
    def holds(self):
        return self.linear is not None and self.bound <= self.least

    def cells(self):
        linear = f"not installed: {lp_bound.INSTALL}" if self.linear is None else (
            f"{self.linear.hosts}{'' if self.linear.exact else ', stopped early'}")
        return [self.what, str(self.volume), linear, str(self.ours), str(self.least),
                f"{100 * (self.ours / self.bound - 1):+.1f}"]

    def as_json(self):
        return dataclasses.asdict(self) | {"holds": self.holds}


GAP_HEAD = ["trace, hosts", "volume bound", "linear bound", "ours at the peak", "least of all",
            "ours over the bound, %"]


@dataclasses.dataclass
class Summary:
    """How one table went, over all its rows; told, since the rows are judged."""
    what: str
    rows: list
    holds: bool = True

    def over(self, name):
        """The median of how much more than this policy we have, in percent of it."""
        parts = [100 * (row.ours / row.others[name] - 1) for row in self.rows
                 if row.others[name] > 0]
        return f"{statistics.median(parts):+.1f}" if parts else ""

    def cells(self):
        held = sum(row.holds for row in self.rows)
        return [self.what, f"{held} of {len(self.rows)}", *map(self.over, POLICIES)]

    def as_json(self):
        return {"what": self.what, "rows": len(self.rows),
                "held": sum(row.holds for row in self.rows),
                "median_percent_over": {name: self.over(name) for name in POLICIES}}


SUMMARY_HEAD = ["table", "rows held", *(f"over {name}, %" for name in POLICIES)]


def packing_row(what, reports, read, digits, **more):
    values = {name: read(report) for name, report in reports.items()}
    return Packing(what, values.pop(OURS), told=values.pop(TOLD), others=values, digits=digits,
                   **more)


def stranded(report):
    """Percent of what hosts in use have, the mean of vCPUs and memory: they can be traded."""
    return 50 * (report["stranded_vcpu_fraction"] + report["stranded_memory_fraction"])


def comparable_row(what, reports, read, digits, **more):
    """Without those who reject more: they keep room by doing so."""
    ours = rejected(reports[OURS])
    left_out = tuple(name for name in POLICIES if rejected(reports[name]) > ours + SAME_REJECTION)
    return packing_row(what, reports, read, digits, left_out=left_out, **more)


def gap_row(what, running, volume, shape, loose):
    linear = lp_bound.bound_of(snapshot.counts(running), shape) if lp_bound.installed() else None
    return Gap(what, volume, linear, loose[OURS]["peak_hosts_used"],
               min(report["peak_hosts_used"] for report in loose.values()
                   if rejected(report) == 0))


TABLES = {
    "rejected": ("Rejected vCPU time beyond what is too large, %, on a pool on which best fit "
                 "rejects 1 %", PACKING_HEAD),
    "average": ("Hosts in use over the volume bound, time average, %, on an unlimited pool",
                PACKING_HEAD),
    "peak": ("Hosts in use at the peak, on an unlimited pool", PACKING_HEAD),
    "stranded": ("Stranded on hosts in use, %, mean of vCPUs and memory, on the first pool; in "
                 "brackets: who rejects more", PACKING_HEAD),
    "placeable": ("Guests of the largest common size that still fit, time average, on a pool "
                  f"{A_LITTLE_MORE:g} times the first; in brackets: who rejects more",
                  PACKING_HEAD),
    "gap": ("Hosts at the peak beside what is needed at least", GAP_HEAD),
}


def name_of(trace):
    return f"{trace.parent.name}/{trace.name.removesuffix('.xz').removesuffix('.csv')}"


def measure(trace, shape, rows, scratch):
    """One row of each table."""
    running, volume = snapshot.at_peak(rows, shape)
    replay = Replay(trace, shape, scratch)
    pool = replay.hosts_for(WANTED_REJECTION, volume * 1.1)
    title = f"{name_of(trace)}, {pool} of {shape}"
    sheet.say(title)
    tight = replay.run_all(pool)
    loose = replay.run_all(int(pool * MORE_THAN_ENOUGH))
    roomy = replay.run_all(int(pool * A_LITTLE_MORE))
    return {
        "rejected": packing_row(title, tight, lambda r: 100 * rejected(r), 3),
        "average": packing_row(title, loose, lambda r: 100 * (
            r["time_avg_hosts_used"] / r["bound_time_avg_hosts"] - 1), 2),
        "peak": packing_row(title, loose, lambda r: r["peak_hosts_used"], 0),
        "stranded": comparable_row(title, tight, stranded, 3),
        "placeable": comparable_row(title, roomy, lambda r: r["time_avg_placeable_largest"], 1,
                                    most=True),
        "gap": gap_row(title, running, volume, shape, loose),
    }
