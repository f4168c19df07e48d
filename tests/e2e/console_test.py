"""Serial consoles: attached through a terminal (tmux) and through pipes, by several at once, across
the ends of guests, daemons and libvirt's daemon."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import unittest

import grpc

from lab import api, libvirtd, terminal, waiting
from lab.case import GREETING, CellCase

KIB_64 = 64 << 10
ESCAPE = "C-]"


class Terminal(terminal.Terminal):
    """One that waits, and goes with its test."""

    def __init__(self, case, name):
        super().__init__(pathlib.Path(os.environ["STELLWERK_LAB"]) / f"tmux-{name}")
        case.addCleanup(self.end)

    def awaits(self, text, count=1):
        waiting.until(lambda: self.screen().count(text) >= count, 30, f"the terminal to show "
                      f"{text!r} {count} times", describe=self.screen)

    def settings(self, file):
        """What stty says, asked by the shell that has the terminal back."""
        self.run(["sh", "-c", f"stty -a > {file}.part; mv {file}.part {file}"])
        waiting.until(file.exists, 30, "the shell to be back", describe=self.screen)
        return file.read_text(encoding="utf-8")


class Console(CellCase):
    def greeted(self, name):
        """A guest that runs, and has said so."""
        uid = self.book(name)["uid"]
        self.await_greeting(uid)
        return uid

    def log_of(self, name, *more):
        result = subprocess.run(self.cell.command("instance", "log", name, *more), timeout=60,
                                stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return result.stdout

    def typed(self, name, text, *more):
        """What comes out when this is piped into the console."""
        result = subprocess.run(self.cell.command("instance", "console", name, *more), timeout=150,
                                input=text, capture_output=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def attach(self, name, *more):
        process = subprocess.Popen(self.cell.command("instance", "console", name, *more),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0)
        os.set_blocking(process.stdout.fileno(), False)
        os.set_blocking(process.stderr.fileno(), False)
        self.addCleanup(self.end, process)
        process.seen, process.said = b"", b""
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait(timeout=30)
        for file in (process.stdin, process.stdout, process.stderr):
            file.close()

    def await_output(self, process, text, count=1):
        def shown():
            process.seen += process.stdout.read() or b""
            process.said += process.stderr.read() or b""
            return (process.seen + process.said).count(text) >= count
        waiting.until(shown, 30, f"{text!r} from a console", describe=lambda: (
            f"{process.seen[-500:]!r} {process.said[-500:]!r}\n{self.cell.log_tail()}"))


class Terminals(Console):
    def test_engineer_attaches_types_and_leaves_with_the_escape_key(self):
        self.greeted("web")
        seat = Terminal(self, "engineer")
        folder = pathlib.Path(os.environ["STELLWERK_LAB"])
        before = seat.settings(folder / "before")
        seat.run(self.cell.command("instance", "console", "web"))
        seat.awaits("^] leaves it")
        seat.awaits(GREETING)
        seat.type("hello guest")
        seat.awaits("hello guest")
        seat.type("Enter")
        seat.awaits(GREETING, count=2)
        seat.type(ESCAPE)
        seat.awaits("[web: left]")
        self.assertEqual(seat.settings(folder / "after"), before)

    def test_another_escape_key_and_a_signal_give_the_terminal_back_too(self):
        self.greeted("web")
        seat = Terminal(self, "signals")
        folder = pathlib.Path(os.environ["STELLWERK_LAB"])
        before = seat.settings(folder / "sane")
        seat.run(self.cell.command("instance", "console", "web", "--escape", "^A"))
        seat.awaits("^A leaves it")
        seat.type(ESCAPE)
        seat.type("a]b")
        seat.awaits("a]b")
        seat.type("C-a")
        seat.awaits("[web: left]")
        for again, number in enumerate((signal.SIGTERM, signal.SIGHUP, signal.SIGINT)):
            seat.run(self.cell.command("instance", "console", "web", "--no-history"))
            seat.awaits("[web: the instance runs]", count=again + 2)
            pid = int(seat.tmux("list-panes", "-t", "main", "-F", "#{pane_pid}"))
            child = self.child_of(pid)
            os.kill(child, number)
            seat.awaits(f"ended by signal {number.value}")
            self.assertEqual(seat.settings(folder / f"after-{number.value}"), before)

    def child_of(self, pid):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.assertEqual(len(children), 1, children)
        return int(children[0])

    def test_log_on_a_terminal_is_harmless(self):
        self.greeted("web")
        self.typed("web", b"\x1b]0;owned\x07\x1b[31mred\x1b[0m")
        seat = Terminal(self, "log")
        seat.run(self.cell.command("instance", "log", "web"))
        seat.awaits("red")
        self.assertNotIn("owned", seat.tmux("display-message", "-p", "-t", "main",
                                                "#{pane_title}"))
        self.assertIn(b"\x1b]0;owned\x07\x1b[31mred", self.log_of("web"))


class Pipes(Console):
    def test_script_pipes_input_and_gets_the_answer(self):
        uid = self.greeted("web")
        answer = self.typed("web", b"ping", "--no-history")
        self.assertEqual(answer, b"ping")
        self.assertIn(GREETING.encode() + uid.encode(), self.typed("web", b""))

    def test_two_watchers_see_the_same(self):
        self.greeted("web")
        writer = self.attach("web")
        watchers = [self.attach("web", "--read-only") for _ in range(2)]
        for process in (writer, *watchers):
            self.await_output(process, GREETING.encode())
        writer.stdin.write(b"to be seen by all")
        for process in (writer, *watchers):
            self.await_output(process, b"to be seen by all")
        self.assertEqual(watchers[0].seen, watchers[1].seen)

    def test_one_types_the_second_is_refused_and_force_takes_over(self):
        self.greeted("web")
        first = self.attach("web")
        self.await_output(first, b"the instance runs")
        self.refused("instance", "console", "web", names=["root types on this console", "force"],
                     code=1)
        second = self.attach("web", "--force")
        self.await_output(first, b"root has taken over the console")
        self.await_output(second, b"the instance runs")
        second.stdin.write(b"mine now")
        self.await_output(first, b"mine now")
        first.stdin.write(b"NOT THIS")
        second.stdin.write(b"still mine")
        self.await_output(first, b"still mine")
        self.assertNotIn(b"NOT THIS", first.seen)
        # Who types is in the daemon's log.
        self.assertRegex(self.cell.log_text(), r"console attach .*caller=\"root\" access=take-over")

    def test_console_waits_for_an_instance_that_is_stopped_and_follows_it(self):
        uid = self.greeted("web")
        self.cell.cli("instance", "stop", "web", "--wait")
        watcher = self.attach("web")
        self.await_output(watcher, b"does not run; waiting")
        self.await_output(watcher, GREETING.encode() + uid.encode())
        watcher.stdin.write(b"for nobody")
        self.await_output(watcher, b"goes nowhere")
        self.cell.cli("instance", "start", "web", "--wait")
        self.await_output(watcher, b"the instance has started")
        self.await_output(watcher, GREETING.encode() + uid.encode(), count=2)
        self.assertNotIn(b"for nobody", watcher.seen)
        self.cell.cli("instance", "reboot", "web", "--force", "--wait")
        self.await_output(watcher, GREETING.encode() + uid.encode(), count=3)
        self.cell.cli("instance", "stop", "web", "--wait")
        self.await_output(watcher, b"the instance has stopped")
        self.assertIsNone(watcher.poll())

    def test_console_of_a_deleted_instance_ends_and_is_not_found(self):
        self.greeted("web")
        watcher = self.attach("web")
        self.await_output(watcher, b"the instance runs")
        self.cell.cli("instance", "delete", "web", "--wait")
        self.assertEqual(watcher.wait(timeout=30), 3)
        self.await_output(watcher, b"deleted")
        self.refused("instance", "console", "web", names="web", code=3)
        self.refused("instance", "log", "web", names="web", code=3)
        self.refused("instance", "console", "never-was", names="never-was", code=3)

    def test_log_follows(self):
        self.greeted("web")
        follower = subprocess.Popen(self.cell.command("instance", "log", "web", "--follow"),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            self.typed("web", b"later word")
            seen = b""
            while b"later word" not in seen:
                piece = os.read(follower.stdout.fileno(), 4096)
                self.assertNotEqual(piece, b"")
                seen += piece
            follower.send_signal(signal.SIGINT)
            self.assertEqual(follower.wait(timeout=30), 0)
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()


class History(Console):
    def test_history_is_kept_when_nobody_watches_and_ends_at_64_kib(self):
        uid = self.greeted("web")
        self.assertIn(GREETING.encode() + uid.encode(), self.log_of("web"))
        for _ in range(4):
            self.typed("web", b"#")
        self.typed("web", b"the end")
        text = self.log_of("web")
        self.assertEqual(len(text), KIB_64)
        self.assertTrue(text.endswith(b"the end"))
        self.assertEqual(self.log_of("web", "--bytes", "3"), b"end")
        files = list((self.cell.storage / "instances" / uid).glob("console.log*"))
        self.assertLessEqual(sum(file.stat().st_size for file in files), 4 * KIB_64)

    def test_history_survives_kill_9_and_the_guest_does_not_notice(self):
        uid = self.greeted("web")
        self.typed("web", b"before the kill")
        before = self.qemus_of(uid)
        self.cell.kill()
        self.cell.start()
        waiting.until(lambda: b"before the kill" in self.log_of("web"), 30, "the history")
        waiting.until(lambda: b"after the kill" in self.typed("web", b"after the kill"), 60,
                      "the console to be open again", describe=self.cell.log_tail)
        self.assertEqual(self.qemus_of(uid), before)
        self.assertEqual(self.greetings(uid), 1)

    def test_console_outlives_libvirts_daemon(self):
        uid = self.greeted("web")
        watcher = self.attach("web")
        self.await_output(watcher, b"the instance runs")
        libvirtd.kill()
        try:
            watcher.stdin.write(b"without libvirt")
            self.await_output(watcher, b"without libvirt")
        finally:
            libvirtd.start()
        self.await_phase("web", "RUNNING")
        watcher.stdin.write(b"and with it")
        self.await_output(watcher, b"and with it")
        self.assertEqual(self.greetings(uid), 1)

    def test_watcher_that_never_reads_delays_nobody(self):
        self.greeted("web")
        stuck = subprocess.Popen(self.cell.command("instance", "console", "web", "--read-only"),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self.addCleanup(self.end_stuck, stuck)
        # More than all buffers on the way to it hold.
        self.typed("web", b"#" * 32)
        waiting.until(lambda: self.log_of("web").endswith(b"x" * KIB_64), 60, "the guest to write")
        self.typed("web", b"done")
        self.assertTrue(self.log_of("web").endswith(b"done"))
        self.assertIsNone(stuck.poll())
        os.set_blocking(stuck.stdout.fileno(), False)
        os.set_blocking(stuck.stderr.fileno(), False)
        said = b""

        def told():
            nonlocal said
            stuck.stdout.read()
            said += stuck.stderr.read() or b""
            return re.search(rb"\d+ bytes were lost", said)
        waiting.until(told, 30, "the slow watcher to be told")

    def end_stuck(self, stuck):
        stuck.kill()
        stuck.wait(timeout=30)
        stuck.stdout.close()
        stuck.stderr.close()


class Crowd(Console):
    WATCHERS = 1000
    ON_ONE_CONSOLE = 32

    def attach_over(self, stub, messages, name):
        request = messages.AttachConsoleRequest()
        request.start.name = f"projects/default/instances/{name}"
        request.start.access = messages.AttachConsoleRequest.READ
        return stub.AttachConsole(iter([request]))

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.cell.daemon.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def test_a_thousand_watchers_are_bounded_and_the_daemon_answers(self):
        self.greeted("web")
        messages = api.module("consoles_pb2")
        before = self.resident_kib()
        channels = [grpc.insecure_channel(f"unix:{self.cell.socket}", options=[
            ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)])
            for _ in range(10)]
        calls = []
        try:
            stubs = [api.module("consoles_pb2_grpc").ConsolesStub(channel)
                     for channel in channels]
            calls = [self.attach_over(stubs[i % 10], messages, "web")
                     for i in range(self.WATCHERS)]
            attached, refused = [], []
            for call in calls:
                try:
                    self.assertEqual(next(call).notice, messages.AttachConsoleResponse.ATTACHED)
                    attached.append(call)
                except grpc.RpcError as error:
                    refused.append(error)
            self.assertEqual(len(attached), self.ON_ONE_CONSOLE)
            self.assertEqual({error.code() for error in refused},
                             {grpc.StatusCode.RESOURCE_EXHAUSTED})
            self.cell.cli("instance", "list", timeout=10)
            self.typed_while_crowded(messages, attached)
            self.assertLess(self.resident_kib() - before, 64 << 10)
        finally:
            for call in calls:
                call.cancel()
            for channel in channels:
                channel.close()
        # The places are free again.
        waiting.until(lambda: self.cell.run("instance", "console", "web", "--no-history")
                      .returncode == 0, 30, "a place to be free", describe=self.cell.log_tail)

    def typed_while_crowded(self, messages, attached):
        for call in attached[1:]:
            call.cancel()
        waiting.until(lambda: self.cell.run("instance", "console", "web").returncode == 0, 30,
                      "a place to be free")
        self.typed("web", b"heard in the crowd")
        seen = b""
        for response in attached[0]:
            seen += response.output
            if b"heard in the crowd" in seen:
                break


if __name__ == "__main__":
    unittest.main(verbosity=2)
