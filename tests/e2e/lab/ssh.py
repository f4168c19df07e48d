"""SSH to a guest, heeding neither the owner's configuration nor their keys."""

import subprocess


class Login:
    """One connection serves all commands until hang_up(): a log-in costs an emulated processor
    several seconds."""

    def __init__(self, key, address, user="debian"):
        self.key, self.address, self.user = key, address, user
        self.control = key.with_name(f"ssh-{address}.sock")

    @staticmethod
    def make_key(path):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)

    def target(self):
        return f"{self.user}@{self.address}"

    def options(self):
        return ["-q", "-F", "/dev/null", "-i", self.key, "-o", "IdentitiesOnly=yes",
                "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null",
                "-o", "ConnectTimeout=2", "-o", "BatchMode=yes",
                "-o", "ControlMaster=auto", "-o", "ControlPersist=yes",
                "-o", f"ControlPath={self.control}"]

    def command(self, *words):
        return ["ssh", *self.options(), self.target(), *words]

    def hang_up(self):
        subprocess.run(["ssh", *self.options(), "-O", "exit", self.target()], check=False,
                       capture_output=True, timeout=60)

    def answers(self):
        try:
            return subprocess.run(self.command("true"), check=False, capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=60).returncode == 0
        except subprocess.TimeoutExpired:  # it is there, but still too busy booting
            return False
