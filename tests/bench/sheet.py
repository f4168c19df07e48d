"""What a measurement is written on: the machine, the command, and rows with a verdict; for people,
as JSON and as Markdown."""

import dataclasses
import json
import os
import pathlib
import platform
import re
import shlex
import statistics
import subprocess
import sys

ALLOWED_PART = 0.10
ALLOWED_MS = 100.0


def spread(values, digits=0):
    """"123 (101–140)": the median, and the least and the most."""
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}–{max(values):.{digits}f})")


def percentile(values, part):
    """The least value that `part` of all are not above (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * part // 1)
    return ordered[max(0, int(rank) - 1)]


@dataclasses.dataclass
class Overhead:
    """One step, ours and by hand, in milliseconds."""
    step: str
    ours: list
    by_hand: list
    cli: list

    @property
    def over(self):
        return statistics.median(self.ours) - statistics.median(self.by_hand)

    @property
    def allowed(self):
        return max(ALLOWED_PART * statistics.median(self.by_hand), ALLOWED_MS)

    @property
    def holds(self):
        return self.over <= self.allowed

    def cells(self):
        return [self.step, spread(self.ours), spread(self.by_hand), f"{self.over:+.0f}",
                f"{self.allowed:.0f}", spread(self.cli)]

    def as_json(self):
        return {"step": self.step, "ours_ms": self.ours, "by_hand_ms": self.by_hand,
                "cli_ms": self.cli, "over_ms": self.over, "allowed_ms": self.allowed,
                "holds": self.holds}


OVERHEAD_HEAD = ["step", "ours, ms", "by hand, ms", "over", "allowed", "by our CLI, ms"]


@dataclasses.dataclass
class Limit:
    """One value, and what it has to stay under (None: told, not judged)."""
    what: str
    value: float
    under: float | None
    unit: str
    digits: int = 1

    @property
    def holds(self):
        return self.under is None or self.value < self.under

    def cells(self):
        under = "" if self.under is None else f"< {self.under:g} {self.unit}"
        return [self.what, f"{self.value:.{self.digits}f} {self.unit}", under]

    def as_json(self):
        return {"what": self.what, "value": self.value, "under": self.under, "unit": self.unit,
                "holds": self.holds}


LIMIT_HEAD = ["what", "measured", "limit"]


def first_line(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.strip().split("\n")[0]


def field(file, name):
    found = re.search(rf"^{name}\s*:\s*(.*)$", pathlib.Path(file).read_text("utf-8"), re.MULTILINE)
    return found[1] if found else "unknown"


def versions():
    """Of what does the work; empty where there is no libvirt."""
    said = subprocess.run(["virsh", "-q", "-c", "qemu:///system", "version"], capture_output=True,
                          text=True, check=False, timeout=30).stdout
    return dict(re.findall(r"^(Using library|Running hypervisor): (.*)$", said, re.MULTILINE))


def this_machine(folder):
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
    return {
        "cpu": field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "kernel": platform.release(),
        "libvirt": versions().get("Using library", ""),
        "qemu": versions().get("Running hypervisor", ""),
        "file_system": first_line("stat", "--file-system", "--format=%T", str(folder)),
        "load_before": round(os.getloadavg()[0], 1),
    }


def as_text(head, rows):
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in [head, *rows]]
    return "\n".join(lines)


def as_markdown(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines)


class Sheet:
    """Tables, in the order in which they are added."""

    def __init__(self, command, machine):
        self.command = command
        self.machine = machine
        self.tables = []  # (title, head, rows)

    def add(self, title, head, rows):
        self.tables.append((title, head, rows))

    @property
    def misses(self):
        return [row for _, _, rows in self.tables for row in rows if not row.holds]

    def machine_line(self):
        one = self.machine
        return (f"{one['cpu']}, {one['cores']} cores, {one['memory_gib']} GiB; "
                f"Linux {one['kernel']}, libvirt {one['libvirt']}, {one['qemu']}, "
                f"{one['file_system']}; load {one['load_before']} before")

    def text(self):
        parts = [f"{self.machine_line()}\n{self.command}"]
        for title, head, rows in self.tables:
            cells = [[*row.cells(), "holds" if row.holds else "MISSED"] for row in rows]
            parts.append(f"{title}\n{as_text([*head, ''], cells)}")
        return "\n\n".join(parts)

    def markdown(self):
        parts = [f"`{self.command}` on: {self.machine_line()}."]
        for title, head, rows in self.tables:
            cells = [[*row.cells(), "yes" if row.holds else "**no**"] for row in rows]
            parts.append(f"{title}\n\n{as_markdown([*head, 'holds'], cells)}")
        return "\n\n".join(parts)

    def json(self):
        tables = [{"title": title, "rows": [row.as_json() for row in rows]}
                  for title, _, rows in self.tables]
        return json.dumps({"command": self.command, "machine": self.machine, "tables": tables,
                           "holds": not self.misses}, indent=1)

    def hand_in(self, options):
        """Prints and writes what was asked for; the exit code."""
        print(self.markdown() if options.markdown else self.text(), flush=True)
        if options.json:
            pathlib.Path(options.json).write_text(self.json() + "\n", encoding="utf-8")
        for row in self.misses:
            print(f"missed: {' '.join(row.cells())}", file=sys.stderr)
        return 1 if self.misses and not options.lenient else 0


def add_options(parser):
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured there")
    parser.add_argument("--markdown", action="store_true", help="tables as docs/ has them")
    parser.add_argument("--lenient", action="store_true",
                        help="exit 0 although a limit was missed")


def command_line(verb):
    """As it was typed, without where the answer goes."""
    words = iter(sys.argv[1:])
    kept = []
    for word in words:
        if word == "--json":
            next(words, None)
        elif word != "--markdown" and not word.startswith("--json="):
            kept.append(word)
    return shlex.join(["./dev", "bench", verb, *kept])


def say(text):
    print(text, file=sys.stderr, flush=True)
