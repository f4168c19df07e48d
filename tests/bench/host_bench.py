"""host_bench.py: what Stellwerk costs on one host. Run by `./dev bench host`, in the sandbox.

Every step of a guest's life is done by Stellwerk's API, by its command line, and by hand with
qemu-img and virsh, in turns; then the daemon's memory and processor time are measured while it has
nothing to do, without guests and with many. Exit code 1 if a limit is missed."""

import argparse
import os
import pathlib
import re
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
import contestants  # noqa: E402
import sheet  # noqa: E402
from lab import waiting  # noqa: E402
from lab.case import TINY_FLAVOR, TINY_IMAGE  # noqa: E402

STEPS = {"create": "create → running", "stop": "stop", "start": "start", "delete": "delete"}
MOST_PSS_MB = 40
MOST_CPU_PERCENT = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


def timed(call, *words):
    """Milliseconds."""
    begun = time.monotonic()
    call(*words)
    return (time.monotonic() - begun) * 1000


def measure_steps(rivals, rounds):
    """{step: {rival: [ms, ...]}}. Who begins goes round, so that none always comes first."""
    found = {step: {who: [] for who in rivals} for step in STEPS}
    for number in range(rounds):
        turns = list(rivals)
        turns = turns[number % len(turns):] + turns[:number % len(turns)]
        names = {who: f"{who}-{number}" for who in turns}
        rivals["hand"].prepare(names["hand"])
        for step in STEPS:
            for who in turns:
                if step == "stop":
                    rivals[who].await_boot(names[who])  # only what has booted obeys
                took = timed(getattr(rivals[who], step), names[who])
                found[step][who].append(took)
        sheet.say("  round {}: {}".format(number + 1, ", ".join(
            f"{step} " + "/".join(f"{found[step][who][-1]:.0f}" for who in rivals)
            for step in STEPS)))
    return found


def memory_mb(pid):
    """(PSS, RSS) in MB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return [int(re.search(rf"^{name}: +(\d+) kB$", text, re.MULTILINE)[1]) * 1024 / 1e6
            for name in ("Pss", "Rss")]


def cpu_ticks(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


def cpu_percent(pid, seconds):
    """Of one core, in user and kernel mode."""
    before, begun = cpu_ticks(pid), time.monotonic()
    threading.Event().wait(seconds)
    return (cpu_ticks(pid) - before) / TICKS / (time.monotonic() - begun) * 100


def measure_idle(pid, guests, seconds):
    cpu = cpu_percent(pid, seconds)
    pss, rss = memory_mb(pid)
    return [sheet.Limit(f"PSS with {guests} guests", pss, MOST_PSS_MB, "MB"),
            sheet.Limit(f"RSS with {guests} guests", rss, None, "MB"),
            sheet.Limit(f"processor time with {guests} guests, over {seconds} s", cpu,
                        MOST_CPU_PERCENT, "% of a core", 2)]


def fill(ours, guests):
    """As many guests, all booted."""
    names = [f"idle-{number}" for number in range(guests)]
    for name in names:
        ours.cell.cli("instance", "create", name, "--flavor", TINY_FLAVOR, "--image", TINY_IMAGE)
    for name in names:
        ours.watch.until(lambda name=name: ours.is_in("RUNNING")(ours.look(name)), f"{name} to run")
        ours.await_boot(name)
    return names


def clear(ours, names):
    for name in names:
        ours.cell.cli("instance", "delete", name)
    # A host destroys 60 guests a minute, and not more.
    waiting.until(lambda: not ours.cell.json("instance", "list"), 200, "all guests to go",
                  describe=ours.cell.log_tail)


def measure(cell, options, page):
    ours, cli = contestants.Ours(cell), contestants.ByCli(cell)
    hand = None
    try:
        sheet.say(f"the daemon without guests, {options.seconds} s")
        idle = measure_idle(cell.daemon.pid, 0, options.seconds)
        ours.create("example")
        hand = contestants.ByHand(cell.directory / "by-hand", cell, ours.look("example").uid)
        ours.delete("example")
        sheet.say("ms by our API / by hand / by our CLI")
        rivals = {"ours": ours, "hand": hand, "cli": cli}
        found = measure_steps(rivals, options.rounds)
        sheet.say(f"the daemon with {options.guests} guests, {options.seconds} s")
        names = fill(ours, options.guests)
        idle += measure_idle(cell.daemon.pid, options.guests, options.seconds)
        clear(ours, names)
    finally:
        if hand:
            hand.close()
        cli.close()
        ours.close()
    page.add(f"Steps: median of {options.rounds} (least–most)", sheet.OVERHEAD_HEAD, [
        sheet.Overhead(title, found[step]["ours"], found[step]["hand"], found[step]["cli"])
        for step, title in STEPS.items()])
    page.add("The daemon with nothing to do", sheet.LIMIT_HEAD, idle)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench host",
                                     description="What Stellwerk costs on one host.")
    parser.add_argument("--rounds", type=int, default=9, help="of every step; 9")
    parser.add_argument("--guests", type=int, default=50, help="beside the idle daemon; 50")
    parser.add_argument("--seconds", type=int, default=60, help="of idling; 60")
    sheet.add_options(parser)
    options = parser.parse_args()
    cell = contestants.bench_cell("host")
    page = sheet.Sheet(sheet.command_line("host"), sheet.this_machine(cell.directory))
    with contestants.measured(cell):
        measure(cell, options, page)
    return page.hand_in(options)


if __name__ == "__main__":
    sys.exit(main())
