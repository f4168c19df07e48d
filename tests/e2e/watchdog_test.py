"""What the daemon tells systemd: ready, alive as long as its control loops make steps, stopping.

The other end of $NOTIFY_SOCKET is this test. Under a real systemd: systemd_guest_test.py."""

import os
import pathlib
import socket
import subprocess
import unittest

from lab import api, cell as cells, waiting

FEEDINGS_PER_PATIENCE = 4
PATIENCE = 2.0  # seconds that systemd would wait; the daemon says something every half second


class Systemd:
    """Its end of the notifications."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))

    def close(self):
        self.socket.close()
        self.path.unlink()

    def environment(self, watches=True):
        told = {"NOTIFY_SOCKET": str(self.path)}
        if watches:
            told["WATCHDOG_USEC"] = str(int(PATIENCE * 1e6))
        return told

    def next(self, seconds):
        """The next message, or None if none comes in time."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return None

    def forget(self):
        """What was said until now."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            pass


class Watchdog(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(os.environ["STELLWERK_LAB"])
        self.hang_file = folder / f"{self._testMethodName[-24:]}.hang"
        self.systemd = Systemd(folder / f"{self._testMethodName[-24:]}.sock")
        self.addCleanup(self.systemd.close)
        self.cell = cells.Cell(self._testMethodName[-24:],
                               {"hypervisor": {"uri": "test:///default"}})

    def start(self, hang="", watches=True):
        environment = self.systemd.environment(watches)
        if hang:
            environment["STELLWERK_HANG"] = f"{hang}={self.hang_file}"
        self.cell.start("stellwerkd_failpoints", environment)
        # A loop that hangs cannot be asked to end.
        self.addCleanup(self.cell.daemon.wait)
        self.addCleanup(self.cell.daemon.kill)
        self.assertEqual(self.systemd.next(PATIENCE), "READY=1")

    def assert_fed(self, times=3):
        self.systemd.forget()
        for _ in range(times):
            self.assertEqual(self.systemd.next(PATIENCE), "WATCHDOG=1", self.cell.log_tail())

    def hang(self):
        self.hang_file.touch()
        waiting.until(lambda: not self.hang_file.exists(), 20, "a thread to hang",
                      describe=self.cell.log_tail)
        self.systemd.forget()

    def assert_starves_although_it_lives(self):
        self.assertIsNone(self.systemd.next(2 * PATIENCE))
        self.assertIsNone(self.cell.daemon.poll())
        # gRPC's threads do not know of the hang.
        self.assertEqual(api.raw_unary(self.cell, "/grpc.health.v1.Health/Check", b""), b"\x08\x01")

    def test_daemon_says_ready_alive_and_stopping(self):
        self.start()
        self.assert_fed()
        self.cell.daemon.terminate()
        waiting.until(lambda: self.systemd.next(PATIENCE) == "STOPPING=1", 10, "STOPPING=1")
        self.assertEqual(self.cell.daemon.wait(timeout=30), 0)
        self.assertIsNone(self.systemd.next(PATIENCE / FEEDINGS_PER_PATIENCE))

    def test_watchdog_starves_when_the_controller_hangs(self):
        self.start(hang="controller.step")
        self.assert_fed()
        self.hang()
        self.assert_starves_although_it_lives()

    def test_watchdog_starves_when_the_agent_hangs(self):
        self.start(hang="agent.step")
        self.assert_fed()
        self.hang()
        self.assert_starves_although_it_lives()

    def test_store_that_hangs_starves_nobody(self):
        self.start(hang="store.commit.before")
        self.hang_file.touch()
        with subprocess.Popen(self.cell.command("project", "create", "waits"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as caller:
            self.addCleanup(caller.kill)
            waiting.until(lambda: not self.hang_file.exists(), 20, "the commit to hang")
            self.assert_fed(times=2 * FEEDINGS_PER_PATIENCE)
            self.assertIsNone(caller.poll(), "it still waits for the commit")
            caller.kill()

    def test_nothing_is_fed_that_nobody_watches(self):
        self.start(watches=False)
        self.assertIsNone(self.systemd.next(PATIENCE))


if __name__ == "__main__":
    unittest.main(verbosity=2)
