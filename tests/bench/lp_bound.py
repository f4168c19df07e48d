"""How few equal hosts could hold these guests: the linear bound of Gilmore and Gomory (1961), by
column generation. A pattern is what one host holds; so many of each pattern, fractions allowed,
hold all guests. Fewer hosts than that, rounded up, are not enough for any placement.

The linear programs are solved by `cbc` (Debian: coinor-cbc). Whenever it is stopped, what it has is
a bound (Farley 1990): duals divided by the value of the best pattern are feasible.
"""

import dataclasses
import math
import pathlib
import shutil
import subprocess
import tempfile
import time

SOLVER = "cbc"
INSTALL = "apt install coinor-cbc"
MOST_ROUNDS = 500
SLACK = 1e-6  # of what solvers return


@dataclasses.dataclass
class Bound:
    hosts: int
    linear: float  # before it is rounded up
    rounds: int
    exact: bool  # no pattern could better it


def installed():
    return shutil.which(SOLVER) is not None


def terms(pairs):
    """"2 x0 + 3 x1", in lines that every reader of LP files takes."""
    return "\n + ".join(f"{factor:.12g} {name}" for factor, name in pairs)


def solve(text, kind, folder):
    """The values and the duals by name of what begins with `kind`."""
    problem, answer = folder / "problem.lp", folder / "answer.txt"
    problem.write_text(text, "ascii")
    answer.unlink(missing_ok=True)
    subprocess.run([SOLVER, str(problem), "-solve", "-printingOptions", "all", "-solution",
                    str(answer)], capture_output=True, check=True, timeout=300)
    lines = answer.read_text("ascii").splitlines()
    if not lines or not lines[0].startswith("Optimal"):
        raise RuntimeError(f"{SOLVER} said: {lines[:1]}")
    found = {}
    for line in lines[1:]:
        words = line.replace("**", "").split()
        if len(words) == 4 and words[1].startswith(kind):
            found[int(words[1][len(kind):])] = (float(words[2]), float(words[3]))
    return found


def duals_of(patterns, demand, folder):
    """Of each size: what one more of it would cost."""
    rows = []
    for size, count in enumerate(demand):
        pairs = [(pattern[size], f"x{i}") for i, pattern in enumerate(patterns) if pattern[size]]
        rows.append(f" d{size}: {terms(pairs)} >= {count}")
    goal = terms((1, f"x{i}") for i in range(len(patterns)))
    text = f"Minimize\n obj: {goal}\nSubject To\n" + "\n".join(rows) + "\nEnd\n"
    found = solve(text, "d", folder)
    return [max(0.0, found[size][1]) for size in range(len(demand))]


def best_pattern(values, sizes, demand, shape, folder):
    """What one host holds that is worth most; nothing is worth less than nothing."""
    wanted = [i for i, value in enumerate(values) if value > 0]
    limits = [f" {name}: {terms((sizes[i][part], f'y{i}') for i in wanted)} <= {most}"
              for name, part, most in (("c", 0, shape.vcpus), ("m", 1, shape.memory_mib))]
    bounds = [f" y{i} <= {demand[i]}" for i in wanted]
    text = "\n".join(["Maximize", f" obj: {terms((values[i], f'y{i}') for i in wanted)}",
                      "Subject To", *limits, "Bounds", *bounds, "Generals",
                      *(f" y{i}" for i in wanted), "End", ""])
    found = solve(text, "y", folder)
    return [round(found[i][0]) if i in found else 0 for i in range(len(sizes))]


def first_patterns(sizes, demand, shape):
    """Those of first fit, the largest first: a start that holds everything."""
    patterns, left = [], list(demand)
    order = sorted(range(len(sizes)), reverse=True,
                   key=lambda i: max(sizes[i][0] / shape.vcpus, sizes[i][1] / shape.memory_mib))
    while any(left):
        vcpus, memory, pattern = shape.vcpus, shape.memory_mib, [0] * len(sizes)
        for i in order:
            fits = min(left[i], vcpus // sizes[i][0], memory // sizes[i][1])
            pattern[i] = fits
            vcpus, memory = vcpus - fits * sizes[i][0], memory - fits * sizes[i][1]
        # As often as it can be repeated.
        times = min(left[i] // count for i, count in enumerate(pattern) if count)
        left = [there - times * count for there, count in zip(left, pattern)]
        patterns.append(pattern)
    return patterns


def bound_of(counts, shape, seconds=120):
    """Of guests by (vCPUs, MiB), each of which a host of this shape would hold."""
    sizes = sorted(counts)
    demand = [counts[size] for size in sizes]
    patterns = first_patterns(sizes, demand, shape)
    best, rounds, ends = 0.0, 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        while rounds < MOST_ROUNDS and time.monotonic() < ends:
            rounds += 1
            values = duals_of(patterns, demand, folder)
            pattern = best_pattern(values, sizes, demand, shape, folder)
            worth = max(1.0, sum(value * count for value, count in zip(values, pattern)))
            linear = sum(value * count for value, count in zip(values, demand))
            best = max(best, linear / worth)
            # Done if no pattern is better, or if what remains could not add a whole host.
            if worth <= 1 + SLACK or math.ceil(best - SLACK) == math.ceil(linear - SLACK):
                return Bound(math.ceil(best - SLACK), best, rounds, True)
            patterns.append(pattern)
    return Bound(math.ceil(best - SLACK), best, rounds, False)
