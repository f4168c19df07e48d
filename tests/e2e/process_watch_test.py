"""The watcher that the kill test relies on sees what it must see."""

import subprocess
import unittest
import uuid

from lab import processes, waiting


class Watcher(unittest.TestCase):
    def start(self, own):
        process = subprocess.Popen(["qemu-system-x86_64", "-uuid", own, "-S", "-display", "none",
                                    "-accel", "tcg", "-m", "64", "-nodefaults"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def watcher(self):
        watcher = processes.Watcher()
        watcher.start()
        self.addCleanup(watcher.stop)
        return watcher

    def test_two_processes_of_one_machine_at_once_are_seen(self):
        watcher, own = self.watcher(), str(uuid.uuid4())
        pids = sorted([self.start(own).pid, self.start(own).pid])
        waiting.until(lambda: watcher.together, 20, "both to be seen")
        self.assertEqual((watcher.together[0][0], sorted(watcher.together[0][1])), (own, pids))

    def test_second_life_of_a_machine_is_told_from_the_first(self):
        watcher, own = self.watcher(), str(uuid.uuid4())
        for lives in (1, 2):
            process = self.start(own)
            waiting.until(lambda: len(watcher.lives.get(own, ())) == lives, 20, f"life {lives}")
            process.kill()
            process.wait()
        self.assertEqual(watcher.together, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
