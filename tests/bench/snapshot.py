"""What runs at one moment of a trace: for bounds, and to be packed anew."""

import collections
import csv
import dataclasses
import lzma


@dataclasses.dataclass(frozen=True)
class Shape:
    """Of a host."""
    vcpus: int
    memory_mib: int
    numa_nodes: int = 0

    def __str__(self):
        nodes = f", {self.numa_nodes} nodes" if self.numa_nodes else ""
        return f"{self.vcpus} × {self.memory_mib // 1024} GiB{nodes}"

    def holds(self, size):
        return size[0] <= self.vcpus and size[1] <= self.memory_mib


def read(path):
    """The rows of a trace, as dictionaries of texts."""
    opened = lzma.open(path, "rt") if str(path).endswith(".xz") else open(path, encoding="utf-8")
    with opened as file:
        return list(csv.DictReader(file))


def asks_for_nodes(rows):
    return any(int(row.get("numa_nodes") or 0) > 0 for row in rows)


def size_of(row):
    return int(row["vcpus"]), int(row["memory_mib"])


def volume_bound(demand, shape):
    """Hosts that have as many vCPUs and as much memory as that."""
    return max(-(-demand[0] // shape.vcpus), -(-demand[1] // shape.memory_mib))


def events(rows, shape):
    """(time, 0 for a departure or 1 for an arrival, row number) of all that a host could hold, in
    the order in which they happen."""
    happens = []
    for number, row in enumerate(rows):
        if not shape.holds(size_of(row)):
            continue
        happens.append((int(row["arrival_s"]), 1, number))
        if row["departure_s"]:
            # Who leaves in the second of its arrival was there, but with nobody who came later.
            leaves = max(int(row["departure_s"]), int(row["arrival_s"]) + 1)
            happens.append((leaves, 0, number))
    return sorted(happens)


def at_peak(rows, shape):
    """The rows that run when most hosts are needed by volume, in the order of the trace, and so
    many hosts."""
    demand, running, most, when = [0, 0], {}, -1, 0
    ordered = events(rows, shape)
    for index, (_, arrives, number) in enumerate(ordered):
        for i, part in enumerate(size_of(rows[number])):
            demand[i] += part if arrives else -part
        needed = volume_bound(demand, shape)
        if needed > most:
            most, when = needed, index
    for _, arrives, number in ordered[:when + 1]:
        if arrives:
            running[number] = rows[number]
        else:
            del running[number]
    return [running[number] for number in sorted(running)], most


def counts(rows):
    """How many there are of each size."""
    return collections.Counter(size_of(row) for row in rows)
