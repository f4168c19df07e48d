"""The demonstration's story is strict: it ends at the first claim that does not hold. What it looks
at is played here; only `./dev demo` tells it for real."""

import contextlib
import io
import pathlib
import signal
import sys
import types
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import demo_story  # noqa: E402
from lab import cell as cells  # noqa: E402
from lab import ssh, story, waiting  # noqa: E402

UID = "ff3c5ebe-993c-5ee7-8f8a-d47a5b2d37fd"
TAP = cells.interface_of(UID)
KINDS = ("domain", "disk file", "bridge port", "network interface", "address",
         "instance in the CLI's list", "instance row in SQLite", "user-data in SQLite",
         "QEMU process", "claim on the host")


class World:
    """One instance as it can be seen from everywhere. `spoil` changes it after one of its events:
    kill, restart, stop, start, delete."""

    def __init__(self, event="", spoil=None):
        self.event, self.spoil = event, spoil
        self.qemus, self.ticks, self.boot = [257], 1000, "first"
        self.phase, self.left, self.strangers = "PHASE_RUNNING", set(KINDS), {}
        self.daemon = types.SimpleNamespace(pid=46, returncode=None)
        self.answers, self.living = True, {(1, 1)}

    def happened(self, event):
        if event == self.event:
            self.spoil(self)

    def shows(self, kind, *what):
        return list(what) if kind in self.left else []

    # What the story asks its cell.
    config_file = pathlib.Path("stellwerkd.toml")
    storage = pathlib.Path("/storage")

    def kill(self):
        self.daemon.returncode, self.answers = -signal.SIGKILL, False
        self.happened("kill")

    def start(self):
        self.daemon, self.answers = types.SimpleNamespace(pid=99, returncode=None), True
        self.happened("restart")

    def stop(self):
        self.daemon.returncode = 0
        self.happened("end")

    def run(self, *_):
        return types.SimpleNamespace(returncode=0 if self.answers else 5)

    def instance(self, _):
        return {"phase": self.phase}

    def instance_files(self, _):
        return self.shows("disk file", "disk.qcow2")

    def stored_keys(self, prefix):
        kind = "user-data" if prefix.startswith("userdata/") else "instance row"
        return self.shows(f"{kind} in SQLite", prefix)

    def json(self, noun, _):
        if noun == "instance":
            return self.shows("instance in the CLI's list", {"name": "web-1", "uid": UID})
        count = len(self.shows("claim on the host", UID))
        return [{"name": "hosts/lab", "use": {"instances": str(count)}}]

    # What the story types.
    def stellwerk(self, noun, verb, *_):
        if (noun, verb) == ("instance", "stop"):
            self.phase, self.qemus = "PHASE_STOPPED", []
        elif (noun, verb) == ("instance", "start"):
            self.phase, self.qemus, self.boot = "PHASE_RUNNING", [300], "second"
        elif (noun, verb) == ("instance", "delete"):
            self.left = set()
        self.happened(verb)

    # What the machine shows.
    def domains(self):
        return self.strangers | dict.fromkeys(self.shows("domain", UID), "stellwerk-1")

    def processes(self):
        return {UID: self.qemus} if "QEMU process" in self.left and self.qemus else {}


class ImpatientStory(story.Story):
    def comes(self, claim, condition, seconds):
        self.seen(claim, condition())


class Strictness(unittest.TestCase):
    def tell(self, world):
        """The chapters that the world is played for."""
        told = demo_story.Demonstration.__new__(demo_story.Demonstration)
        told.story, told.cell, told.uid, told.address = ImpatientStory(), world, UID, "10.64.0.2"
        told.stellwerk, told.boot_id = world.stellwerk, lambda: world.boot
        told.login = mock.Mock()
        told.inside, told.at_first = lambda *_: "booked with Stellwerk", {(1, 1)}
        with mock.patch.multiple(
                demo_story.machine, domains=world.domains,
                bridge_ports=lambda _: world.shows("bridge port", TAP),
                interfaces=lambda: ["lo", *world.shows("network interface", TAP)]), \
            mock.patch.multiple(demo_story.processes, qemus=world.processes,
                                start_ticks=lambda _: world.ticks,
                                living=lambda: world.living), \
            mock.patch.object(demo_story, "answers", lambda _: "address" in world.left), \
                contextlib.redirect_stdout(io.StringIO()):
            told.manage_again(told.lose_the_daemon())
            told.delete()

    def assert_not_seen(self, claim, event, **spoiled):
        with self.subTest(claim), self.assertRaisesRegex(story.NotSeen, claim):
            self.tell(World(event, lambda world: vars(world).update(spoiled)))

    def test_it_ends_well_when_all_is_seen(self):
        self.tell(World())

    def test_guest_lives_on_without_the_daemon_or_the_story_ends(self):
        exited = types.SimpleNamespace(pid=46, returncode=0)
        self.assert_not_seen("the daemon was killed", "kill", daemon=exited)
        self.assert_not_seen("nobody answers", "kill", answers=True)
        self.assert_not_seen("process goes on", "kill", qemus=[])
        self.assert_not_seen("process goes on", "kill", ticks=2000)
        self.assert_not_seen("meanwhile, the same boot", "kill", boot="other")
        self.assert_not_seen("sees it running again", "restart", phase="PHASE_STARTING")
        self.assert_not_seen("the same QEMU process", "restart", qemus=[258])
        self.assert_not_seen("the same QEMU process", "restart", ticks=2000)
        self.assert_not_seen("and the same boot", "restart", boot="other")

    def test_it_is_stopped_and_started_or_the_story_ends(self):
        self.assert_not_seen("it is stopped", "stop", phase="PHASE_RUNNING")
        self.assert_not_seen("no QEMU process", "stop", qemus=[257])
        self.assert_not_seen("it runs", "start", phase="PHASE_STARTING")
        self.assert_not_seen("one QEMU process", "start", qemus=[])
        self.assert_not_seen("one QEMU process", "start", qemus=[300, 301])
        self.assert_not_seen("another boot", "start", boot="first")

    def test_nothing_is_left_of_it_or_the_story_ends(self):
        for kind in KINDS:
            self.assert_not_seen(f"^no {kind}", "delete", left={kind})
        # What cannot be seen while it is there proves nothing once it is gone.
        for kind in set(KINDS) - {"QEMU process"}:
            self.assert_not_seen(f"^before: {kind}", "start", left=set(KINDS) - {kind})
        self.assert_not_seen("no domain .* at all", "delete", strangers={"uuid": "other"})
        self.assert_not_seen("no process", "end", living={(1, 1), (400, 9)})

    def test_daemon_that_ends_badly_ends_the_story(self):
        failed = types.SimpleNamespace(returncode=1)
        self.assert_not_seen("in good order", "end", daemon=failed)

    def test_phases_are_told_in_order_or_the_story_ends(self):
        told = demo_story.Demonstration.__new__(demo_story.Demonstration)
        told.story = ImpatientStory()
        with contextlib.redirect_stdout(io.StringIO()):
            told.check_phases(["preparing", "starting", "running"])
            for phases in ([], ["running"], ["preparing"], ["preparing", "running", "failed"]):
                with self.subTest(phases), self.assertRaises(story.NotSeen):
                    told.check_phases(phases)

    def test_command_that_fails_ends_the_story(self):
        told = demo_story.Demonstration.__new__(demo_story.Demonstration)
        told.story = story.Story()
        told.cell = types.SimpleNamespace(command=lambda *_: ["false"])
        told.login = types.SimpleNamespace(command=lambda *words: words, target=lambda: "guest")
        with contextlib.redirect_stdout(io.StringIO()):
            for act in (lambda: told.stellwerk("instance", "stop"), lambda: told.inside("false")):
                with self.assertRaises(story.NotSeen):
                    act()

    def test_exit_code_is_0_only_for_a_story_told_to_its_end(self):
        problems = (story.NotSeen("x"), AssertionError(), waiting.TookTooLong(),
                    demo_story.subprocess.TimeoutExpired("ssh", 60))
        for problem, code in ((None, 0), *((each, 1) for each in problems)):
            with mock.patch.object(demo_story, "Demonstration") as played, \
                    mock.patch.object(sys, "argv", ["demo_story.py", "/image"]), \
                    contextlib.redirect_stdout(io.StringIO()):
                played.return_value.tell.side_effect = problem
                played.return_value.cell.log_tail.return_value = ""
                played.return_value.console.return_value = ""
                self.assertEqual(demo_story.main(), code)


class Ssh(unittest.TestCase):
    def test_neither_configuration_nor_keys_of_the_owner_are_used(self):
        login = ssh.Login(pathlib.Path("/lab/key"), "10.64.0.2")
        words = list(map(str, login.command("cat", "/etc/os-release")))
        pairs = list(zip(words, words[1:]))
        for pair in (("-F", "/dev/null"), ("-i", "/lab/key"), ("-o", "IdentitiesOnly=yes"),
                     ("-o", "IdentityAgent=none"), ("-o", "UserKnownHostsFile=/dev/null"),
                     ("-o", "GlobalKnownHostsFile=/dev/null"), ("-o", "BatchMode=yes")):
            self.assertIn(pair, pairs)
        self.assertEqual(words[-3:], ["debian@10.64.0.2", "cat", "/etc/os-release"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
