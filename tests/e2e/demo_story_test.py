"""The demonstration's story is strict: it ends at the first claim that does not hold. What it looks
at is played here; only `./dev demo` tells it for real."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import demo_story  # noqa: E402


class Ssh(unittest.TestCase):
    def test_neither_configuration_nor_keys_of_the_owner_are_used(self):
        demonstration = demo_story.Demonstration.__new__(demo_story.Demonstration)
        demonstration.key, demonstration.address = pathlib.Path("/lab/key"), "10.64.0.2"
        words = list(map(str, demonstration.ssh("cat", "/etc/os-release")))
        pairs = list(zip(words, words[1:]))
        for pair in (("-F", "/dev/null"), ("-i", "/lab/key"), ("-o", "IdentitiesOnly=yes"),
                     ("-o", "IdentityAgent=none"), ("-o", "UserKnownHostsFile=/dev/null"),
                     ("-o", "GlobalKnownHostsFile=/dev/null"), ("-o", "BatchMode=yes")):
            self.assertIn(pair, pairs)
        self.assertEqual(words[-3:], ["debian@10.64.0.2", "cat", "/etc/os-release"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
