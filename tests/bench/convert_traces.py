#!/usr/bin/python3
"""Published data sets as traces in the format of docs/simulate.md; tests/data/traces/README.md says
where they come from and what was decided on the way.

    convert_traces.py huawei VM_data_C1.csv OUT.csv.xz
    convert_traces.py bytedance snapshot.json.xz OUT.csv.xz
    convert_traces.py halve TRACE.csv.xz FIRST.csv.xz SECOND.csv.xz
"""

import collections
import csv
import hashlib
import json
import lzma
import pathlib
import sys

COLUMNS = ["arrival_s", "departure_s", "instance", "project", "vcpus", "memory_mib", "priority"]
MORE_COLUMNS = ["numa_nodes", "group", "group_policy", "group_level"]
# What a strategy becomes. Only what the format can say: a group has one rule, so the fault domains
# of a group become "spread over racks as far as that goes", whichever of them each row is in.
GROUPS = {"affinity": ("soft-affinity", "rack"),
          "anti-affinity": ("anti-affinity", "host"),
          "fault_domain": ("soft-anti-affinity", "rack")}


def groups_of_huawei(rows):
    """The rule of each (strategy, number): numbers begin at 0 for each strategy. Where all of a
    group are in one fault domain, there is nothing to keep apart, and so no group."""
    domains = collections.defaultdict(set)
    for row in rows:
        if row["strategy"]:
            domains[row["strategy"], row["group"]].add(row["domain"])
    return {(strategy, group): (f"{strategy.replace('_', '-')}-{group}", *GROUPS[strategy])
            for (strategy, group), used in domains.items()
            if strategy != "fault_domain" or len(used) > 1}


def rows_of_huawei(published):
    """A row a second, in the published order; nobody leaves."""
    rows = list(csv.DictReader(published))
    groups = groups_of_huawei(rows)
    for number, row in enumerate(rows):
        group = groups.get((row["strategy"], row["group"]), ("", "", ""))
        yield [number, "", f"vm-{number}", "p", int(row["flavor_vcpus"]),
               int(row["flavor_ram"]) * 1024, 0, int(row["numa"]), *group]


def rows_of_bytedance(published):
    """A row a second, in the order of the names' hashes: as published, they are sorted by host, and
    whoever took them in that order would be told the placement."""
    guests = [guest for cluster in json.load(published)["cluster_list"]
              for guest in cluster["vm_instance"]]
    guests.sort(key=lambda guest: hashlib.sha256(guest["instance_id"].encode()).digest())
    for number, guest in enumerate(guests):
        nodes = guest["numa"]
        yield [number, "", guest["instance_id"], "p", sum(int(node["cpu"]) for node in nodes),
               sum(int(node["mem_mb"]) for node in nodes), 0, len(nodes), "", "", ""]


def halves_of(lines):
    """Both with the header; rows as they are, so that the second begins with an empty cell."""
    head, *rows = lines
    middle = (len(rows) + 1) // 2
    return [head, *rows[:middle]], [head, *rows[middle:]]


def packed(path):
    return lzma.open(path, "wt", encoding="utf-8", newline="", preset=9 | lzma.PRESET_EXTREME)


def unpacked(path):
    if str(path).endswith(".xz"):
        return lzma.open(path, "rt", encoding="utf-8", newline="")
    return open(path, encoding="utf-8", newline="")


def write(path, rows):
    with packed(path) as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS + MORE_COLUMNS, *rows])


def main(words):
    kinds = {"huawei": rows_of_huawei, "bytedance": rows_of_bytedance}
    paths = [pathlib.Path(word) for word in words[1:]]
    if words[:1] == ["halve"] and len(paths) == 3:
        with unpacked(paths[0]) as file:
            both = halves_of(file.read().splitlines(keepends=True))
        for path, lines in zip(paths[1:], both):
            with packed(path) as file:
                file.writelines(lines)
        return 0
    if words[:1] and words[0] in kinds and len(paths) == 2:
        with unpacked(paths[0]) as file:
            write(paths[1], kinds[words[0]](file))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
