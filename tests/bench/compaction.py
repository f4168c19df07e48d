"""Cluster compaction (Verma et al., CLUSTER 2014): what runs at the peak of a trace is packed anew
on fewer and fewer hosts of a mixed fleet, taken away in a random order, until it does not fit any
more."""

import random
import statistics

import packing
import sheet
import snapshot

FORGIVEN = 0.002  # of the guests may be left over, as published
HOSTS_PER_RACK = 24
COLUMNS = ["arrival_s", "departure_s", "instance", "project", "vcpus", "memory_mib", "priority",
           "numa_nodes", "group", "group_policy", "group_level"]


def fleet_text(shapes, seed, count):
    """A fleet file: as many hosts of each shape, in random order."""
    order = [shapes[i % len(shapes)] for i in range(count)]
    random.Random(seed).shuffle(order)
    racks = -(-count // HOSTS_PER_RACK)
    parts = ['[[site]]\nname = "s"\n[[zone]]\nname = "s/a"']
    parts += [f'[[rack]]\nname = "s/a/r{rack:04}"' for rack in range(racks)]
    for i, shape in enumerate(order):
        nodes = f"\nnuma_nodes = {shape.numa_nodes}" if shape.numa_nodes else ""
        parts.append(f'[[host]]\nname = "h{i:05}"\nrack = "s/a/r{i // HOSTS_PER_RACK:04}"\n'
                     f"vcpus = {shape.vcpus}\nmemory_mib = {shape.memory_mib}{nodes}")
    return "\n".join(parts) + "\n"


def trace_text(rows):
    """All of them at once, in the order in which they came, and nobody leaves."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        lines.append(",".join((row | {"arrival_s": "0", "departure_s": ""}).get(name) or ""
                              for name in COLUMNS))
    return "\n".join(lines) + "\n"


def largest_of(shapes):
    return snapshot.Shape(max(shape.vcpus for shape in shapes),
                          max(shape.memory_mib for shape in shapes))


def mean_of(shapes):
    return snapshot.Shape(sum(shape.vcpus for shape in shapes) // len(shapes),
                          sum(shape.memory_mib for shape in shapes) // len(shapes))


def fewest(enough, low, high):
    """The least number between that is enough; `high` grows until it is."""
    while not enough(high):
        low, high = high, high * 5 // 4 + 1
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def fewest_hosts(contestant, files, count, bound, most):
    trace, fleet, report = files

    def enough(hosts):
        found = packing.simulate(["--trace", trace, "--fleet", fleet, "--limit-hosts",
                                  min(hosts, most), *packing.words_of(contestant)], report)
        return found["rejected"] <= FORGIVEN * count or hosts >= most

    return fewest(enough, bound - 1, bound + max(2, bound // 10))


def measure(trace, rows, shapes, seeds, scratch):
    """The row of one trace: medians over the orders."""
    running, _ = snapshot.at_peak(rows, largest_of(shapes))
    demand = [sum(part) for part in zip(*map(snapshot.size_of, running))]
    bound = int(snapshot.volume_bound(demand, mean_of(shapes)) * 0.97)
    most = bound * 3
    title = f"{packing.name_of(trace)}, {len(running)} guests"
    sheet.say(f"compaction: {title}")
    files = scratch / "snapshot.csv", scratch / "fleet.toml", scratch / "report.json"
    files[0].write_text(trace_text(running), "utf-8")
    found = {name: [] for name in packing.CONTESTANTS}
    for seed in range(seeds):
        files[1].write_text(fleet_text(shapes, seed, most), "utf-8")
        for name, hosts in found.items():
            hosts.append(fewest_hosts(name, files, len(running), bound, most))
    for name, hosts in found.items():
        if max(hosts) >= most:
            raise RuntimeError(f"{title}: {name} needs more than {most} hosts")
    spread = f"{min(found[packing.OURS])}–{max(found[packing.OURS])}"
    medians = {name: statistics.median(hosts) for name, hosts in found.items()}
    return packing.Packing(f"{title}, ours {spread}", medians.pop(packing.OURS),
                           told=medians.pop(packing.TOLD), others=medians, digits=0)


TITLE = "Cluster compaction: fewest hosts of a mixed fleet, medians over random orders"
