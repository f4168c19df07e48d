"""burst_bench.py: how the API answers when much is asked at once. Run by `./dev bench burst`, in
the sandbox.

Many clients create instances at the same moment while others read; then guests are started while
others read; then ten thousand instances of a hundred played hosts are listed page by page
(list_bench). Exit code 1 if a limit is missed."""

import argparse
import json
import pathlib
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
import contestants  # noqa: E402
import sheet  # noqa: E402
from lab import api, waiting  # noqa: E402
from lab import cell as cells  # noqa: E402
from lab.case import TINY_FLAVOR, TINY_IMAGE  # noqa: E402

CLIENT = HERE / "burst_client.py"
MOST_READ_MS = 20
MOST_PAGE_MS = 100
PATIENCE = 300
BEFORE = "before"


class Client:
    """A process of burst_client.py. Those that create stand for other machines: they give way to
    the daemon, as they would if they had processors of their own."""

    def __init__(self, cell, work, *words):
        priority = ["nice", "-n", "10"] if work == "create" else []
        self.process = subprocess.Popen(
            [*priority, "/usr/bin/python3", CLIENT, api.stubs(), cell.socket, work, *words],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def await_ready(self):
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"a client of the burst ended with {self.process.wait(PATIENCE)}")

    def tell(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self):
        said, _ = self.process.communicate(timeout=PATIENCE)
        if self.process.returncode != 0:
            raise RuntimeError(f"a client of the burst ended with {self.process.returncode}")
        return json.loads(said)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def burst(cell, state, names, clients, until):
    """({"create", "get", "list": [ms]}, seconds until all creates are answered); reading goes on
    until `until` has returned."""
    shares = [names[number::clients] for number in range(clients)]
    creators = [Client(cell, "create", state, *share) for share in shares if share]
    readers = {kind: Client(cell, "read", kind, BEFORE) for kind in ("get", "list")}
    everybody = [*creators, *readers.values()]
    try:
        for client in everybody:
            client.await_ready()
        begun = time.monotonic()
        for client in everybody:
            client.tell()
        created = [took for client in creators for took in client.answer()]
        seconds = time.monotonic() - begun
        until()
        for client in readers.values():
            client.tell()
        return {"create": created} | {kind: client.answer()
                                      for kind, client in readers.items()}, seconds
    finally:
        for client in everybody:
            client.end()


def rows_of(what, bursts):
    """All that was measured in several bursts, taken together."""
    seconds = [one for _, one in bursts]
    found = {kind: [took for one, _ in bursts for took in one[kind]] for kind in bursts[0][0]}
    rows = [sheet.Limit(f"{what}: all answered after (the slowest of {len(bursts)})", max(seconds),
                        None, "s", 2)]
    for kind, name, most in (("create", "CreateInstance", None),
                             ("get", "GetInstance", MOST_READ_MS),
                             ("list", "ListInstances of 100", MOST_READ_MS)):
        values = found[kind]
        rows += [sheet.Limit(f"{what}: {name}, median of {len(values)}",
                             sheet.percentile(values, 0.5), None, "ms"),
                 sheet.Limit(f"{what}: {name}, 99 %", sheet.percentile(values, 0.99), most, "ms"),
                 sheet.Limit(f"{what}: {name}, most", max(values), None, "ms")]
    return rows


def clear(cell, names):
    messages = api.module("instances_pb2")
    with api.channel(cell) as channel:
        service = api.module("instances_pb2_grpc").InstancesStub(channel)
        for name in names:
            service.DeleteInstance(messages.DeleteInstanceRequest(
                name=f"{contestants.PROJECT}/instances/{name}", request_id=str(uuid.uuid4())),
                timeout=PATIENCE)
    waiting.until(lambda: len(cell.json("instance", "list")) == 1, PATIENCE, "the burst to be gone",
                  describe=cell.log_tail)


def running(cell, names):
    phases = {item["name"].rsplit("/", 1)[1]: item["phase"]
              for item in cell.json("instance", "list")}
    return all(phases.get(name) == "PHASE_RUNNING" for name in names)


def measure_bursts(cell, options, page):
    cell.cli("instance", "create", BEFORE, "--flavor", TINY_FLAVOR, "--image", TINY_IMAGE,
             "--stopped")
    sheet.say(f"{options.bursts} times {options.creates} creates by {options.clients} clients")
    bursts = []
    for turn in range(options.bursts):
        names = [f"booked-{turn}-{number}" for number in range(options.creates)]
        bursts.append(burst(cell, "STOPPED", names, options.clients, lambda: None))
        clear(cell, names)
    rows = rows_of("booked", bursts)
    if options.running:
        sheet.say(f"{options.running} guests are started")
        names = [f"guest-{number}" for number in range(options.running)]
        rows += rows_of("started", [burst(
            cell, "RUNNING", names, options.clients,
            lambda: waiting.until(lambda: running(cell, names), PATIENCE, "all guests to run",
                                  describe=cell.log_tail))])
        clear(cell, names)
    page.add(f"{options.bursts} × {options.creates} creates (booked), {options.running} (started) "
             f"by {options.clients} clients at once", sheet.LIMIT_HEAD, rows)


def measure_list(options, page):
    sheet.say(f"a list of {options.instances} instances")
    said = json.loads(subprocess.run(
        [cells.BINARIES / "list_bench", str(options.instances), str(options.passes)], check=True,
        capture_output=True, text=True, timeout=PATIENCE).stdout)
    rows = []
    for size, values in said["pages"].items():
        what = f"page of {size}"
        rows += [sheet.Limit(f"{what}, median of {len(values)}", sheet.percentile(values, 0.5),
                             None, "ms"),
                 sheet.Limit(f"{what}, most", max(values), MOST_PAGE_MS, "ms")]
    page.add(f"A list of {said['instances']} instances on {said['hosts']} played hosts",
             sheet.LIMIT_HEAD, rows)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench burst",
                                     description="How the API answers when much is asked at once.")
    parser.add_argument("--creates", type=int, default=200, help="of stopped instances; 200")
    parser.add_argument("--bursts", type=int, default=5, help="one after the other; 5")
    parser.add_argument("--running", type=int, default=50, help="guests that are started; 50")
    parser.add_argument("--clients", type=int, default=16, help="at once; 16")
    parser.add_argument("--instances", type=int, default=10000,
                        help="in the long list; 10000, 0: no list")
    parser.add_argument("--passes", type=int, default=5, help="through the long list; 5")
    sheet.add_options(parser)
    options = parser.parse_args()
    cell = contestants.bench_cell("burst", {"network": {
        "bridge": "stellwerk0", "subnet": "10.64.0.0/16", "gateway": "10.64.0.1"}})
    page = sheet.Sheet(sheet.command_line("burst"), sheet.this_machine(cell.directory))
    with contestants.measured(cell):
        measure_bursts(cell, options, page)
    if options.instances:
        measure_list(options, page)
    return page.hand_in(options)


if __name__ == "__main__":
    sys.exit(main())
