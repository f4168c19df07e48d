"""Beside Ganeti (Debian: ganeti-htools): how many guests the same fleet takes while the loss of any
host can be survived.

Ganeti gets its best settings: storage that all nodes share (`ext`), so that no secondary takes
room and any node may restart a guest; no vCPU taken by the node itself; a MiB more on each node, since it
refuses what fills one exactly; and guests that fill the memory of hosts long before their
processors, since its N+1 check counts memory alone. `hspace` fills a fleet with equal guests;
`hail`, its allocator, is asked for one guest after the other of a mix, each time with the fleet as
it left it. We count processors, too.
"""

import dataclasses
import json
import pathlib
import random
import re
import shutil
import subprocess

import compaction
import packing
import sheet

HAIL = pathlib.Path("/usr/lib/ganeti/iallocators/hail")
INSTALL = "not installed: apt install ganeti-htools"
HOST_VCPUS = 64
HOST_MEMORY_MIB = 128 * 1024
FLAVORS = [(1, 4096), (2, 8192), (4, 16384), (8, 32768)]  # 4 GiB for each vCPU; hosts have 2
FLEETS = [10, 20]
SEEDS = [1, 2, 3]
UNTIL = 100  # seconds; all come at 0
SPEC = "128,1,1024,1,1,1|128,1,1024,1,1,1;65536,16,1048576,16,8,12|ext|1.0|32.0"


def installed():
    return shutil.which("hspace") is not None and HAIL.exists()


def mix(seed, hosts):
    """A fifth more than the memory of all hosts."""
    drawn, guests, wanted = random.Random(seed), [], hosts * HOST_MEMORY_MIB * 6 // 5
    while wanted > 0:
        guests.append(drawn.choice(FLAVORS))
        wanted -= guests[-1][1]
    return guests


def empty_cluster(hosts):
    """In the format of htools(1): groups, nodes, instances, tags, policies."""
    memory = HOST_MEMORY_MIB + 1  # it never fills a node to the last MiB
    nodes = [f"node{i:03}|{memory}|0|{memory}|99999999|99999999|{HOST_VCPUS}|"
             f"{'N' if i else 'M'}|uuid|1||N|0|0|1.0" for i in range(hosts)]
    return "\n".join(["group|uuid|preferred||", "", *nodes, "", "", "", f"|{SPEC}",
                      f"group|{SPEC}", ""])


def request(name, size):
    return {"cluster_name": "c", "cluster_tags": [], "enabled_hypervisors": ["kvm"], "version": 2,
            "ipolicy": {}, "nodegroups": {}, "instances": {}, "nodes": {},
            "request": {"type": "allocate", "name": name, "memory": size[1], "vcpus": size[0],
                        "disk_space_total": 1024, "disks": [{"size": 1024, "mode": "w"}],
                        "disk_template": "ext", "tags": [], "nics": [], "os": "any",
                        "spindle_use": 1, "required_nodes": 1, "hypervisor": "kvm"}}


def hail(guests, hosts, scratch):
    """Which of the guests it places."""
    state, asked, after = scratch / "cluster", scratch / "request", scratch / "cluster.post-ialloc"
    state.write_text(empty_cluster(hosts), "ascii")
    placed = []
    for number, size in enumerate(guests):
        asked.write_text(json.dumps(request(f"i{number}", size)), "ascii")
        done = subprocess.run([HAIL, "-t", state, asked, "-S", state], capture_output=True,
                              text=True, check=True, timeout=60)
        answer = json.loads(done.stdout[:done.stdout.rindex("}") + 1])
        placed.append(bool(answer["success"]))
        if answer["success"]:
            after.replace(state)
    return placed


def hspace(size, hosts, scratch):
    """How many guests of this size it places."""
    state = scratch / "cluster"
    state.write_text(empty_cluster(hosts), "ascii")
    done = subprocess.run(["hspace", "-t", state, "--disk-template", "ext", "--standard-alloc",
                           f"1024,{size[1]},{size[0]}", "--machine-readable"],
                          capture_output=True, text=True, check=True, timeout=600)
    return int(re.search(r"HTS_ALLOC_INSTANCES=(\d+)", done.stdout)[1])


def ours(guests, hosts, scratch, rows=None):
    """A report."""
    trace = scratch / "mix.csv"
    lines = [",".join(compaction.COLUMNS[:7])]
    lines += [f"0,{UNTIL},i{i},p,{vcpus},{memory},0" for i, (vcpus, memory) in enumerate(guests)]
    trace.write_text("\n".join(lines) + "\n", "ascii")
    return packing.simulate(["--trace", trace, "--rows", rows or len(guests), "--hosts", hosts,
                             "--host-vcpus", HOST_VCPUS, "--host-memory-mib", HOST_MEMORY_MIB,
                             "--failover", "host"], scratch / "report.json")


def before_first_refusal(guests, hosts, scratch):
    """The more rows, the later the first that is refused; so it can be searched for."""
    refused = compaction.fewest(
        lambda rows: ours(guests, hosts, scratch, rows)["rejected"] > 0, 0, len(guests))
    return refused - 1


@dataclasses.dataclass
class Beside:
    what: str
    ours: int
    theirs: int | None  # None: not installed, so nothing was shown
    most: int  # that any placement could take, by volume, with one host's worth kept

    @property
    def holds(self):
        return self.theirs is not None and self.ours >= self.theirs

    def cells(self):
        theirs = INSTALL if self.theirs is None else str(self.theirs)
        return [self.what, str(self.ours), theirs, f"≤ {self.most}"]

    def as_json(self):
        return dataclasses.asdict(self) | {"holds": self.holds}


HEAD = ["fleet, guests", "ours", "Ganeti", "by volume"]
TITLE = "Beside Ganeti: guests that fit while the loss of any host can be survived"


def equal_guests(hosts, size, scratch):
    by_volume = (hosts - 1) * HOST_MEMORY_MIB // size[1]
    report = ours([size] * (hosts * HOST_MEMORY_MIB // size[1]), hosts, scratch)
    theirs = hspace(size, hosts, scratch) if installed() else None
    return Beside(f"{hosts} hosts, guests of {size[1] // 1024} GiB (hspace)", report["placed"],
                  theirs, by_volume)


def mixed_guests(hosts, seed, scratch):
    guests = mix(seed, hosts)
    report = ours(guests, hosts, scratch)
    vcpus = sum(vcpus for vcpus, _ in guests) - round(report["rejected_vcpu_seconds"] / UNTIL)
    placed = hail(guests, hosts, scratch) if installed() else None
    kept = (hosts - 1) * HOST_MEMORY_MIB
    first, memory = before_first_refusal(guests, hosts, scratch), 0
    for by_volume, guest in enumerate(guests):
        memory += guest[1]
        if memory > kept:
            break
    title = f"{hosts} hosts, mix {seed} (hail)"
    theirs = None if placed is None else (placed + [False]).index(False)
    theirs_gib = None if placed is None else sum(
        guest[1] for guest, there in zip(guests, placed) if there) // 1024
    return [Beside(f"{title}, guests before the first refusal", first, theirs, by_volume),
            Beside(f"{title}, GiB in all", vcpus * FLAVORS[0][1] // 1024, theirs_gib,
                   kept // 1024)]


def measure(scratch, fleets, seeds):
    rows = []
    for hosts in fleets:
        sheet.say(f"beside Ganeti: {hosts} hosts")
        rows += [equal_guests(hosts, size, scratch) for size in FLAVORS]
        for seed in seeds:
            rows += mixed_guests(hosts, seed, scratch)
    return rows
