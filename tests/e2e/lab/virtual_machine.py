"""A machine to install things on: the image `host` under QEMU, with no network. Commands go in
through QEMU's guest agent."""

import base64
import json
import os
import pathlib
import shlex
import socket
import subprocess

from lab import waiting

BOOT_SECONDS = 300  # beside a compiler; alone it takes 15
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CommandFailed(AssertionError):
    """A command inside did not do what was asked."""


class Agent:
    """QEMU's guest agent: JSON lines over a Unix socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def close(self):
        self.lines.close()
        self.socket.close()

    def call(self, name, seconds=60, **arguments):
        self.socket.settimeout(seconds)
        request = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        if "return" not in answer:
            raise CommandFailed(f"{name}: {answer}")
        return answer["return"]


class Machine:
    """Runs until stop(), on an overlay: the image stays as it is."""

    def __init__(self, image, folder, files):
        """`files`: a folder that appears in the machine as a read-only disk, /dev/vdb."""
        self.folder = pathlib.Path(folder)
        self.console = self.folder / "console.log"
        self.make_disks(pathlib.Path(image), files)
        self.qemu = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL)
        self.agent = None

    def make_disks(self, image, files):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b",
                        image / "disk.qcow2", self.folder / "system.qcow2"], check=True)
        used = sum(path.stat().st_size for path in pathlib.Path(files).rglob("*"))
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", files, self.folder / "files.raw",
                        f"{(used >> 20) * 11 // 10 + 16}M"], check=True)

    def command(self):
        return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2",
                "-m", "1536", "-nic", "none", "-serial", f"file:{self.console}",
                "-drive", f"file={self.folder}/system.qcow2,if=virtio,cache=unsafe",
                "-drive", f"file={self.folder}/files.raw,if=virtio,format=raw,readonly=on",
                "-device", "virtio-serial",
                "-chardev", f"socket,id=agent,path={self.folder}/agent.sock,server=on,wait=off",
                "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]

    def boot(self):
        """Returns when systemd has nothing left to start."""
        path = self.folder / "agent.sock"
        waiting.until(path.exists, 20, "QEMU to open its socket")
        self.agent = Agent(path)
        try:
            self.agent.call("guest-ping", BOOT_SECONDS)
        except TimeoutError as late:
            raise waiting.TookTooLong("the machine never booted\n" + self.last_words()) from late
        self.run("systemctl", "is-system-running", "--wait")

    def stop(self):
        if self.agent is not None:
            self.agent.close()
        self.qemu.kill()
        self.qemu.wait()

    def last_words(self):
        return self.console.read_text(errors="replace")[-3000:] if self.console.exists() else ""

    def attempt(self, *words, seconds=240):
        """(exit code, standard output, standard error) of a command inside."""
        started = self.agent.call("guest-exec", path="/usr/bin/env",
                                  arg=[f"PATH={PATH}", *map(str, words)],
                                  **{"capture-output": True})

        def ended():
            status = self.agent.call("guest-exec-status", pid=started["pid"])
            return status if status["exited"] else None

        status = waiting.until(ended, seconds, shlex.join(map(str, words)))
        out, errors = (base64.b64decode(status.get(key, "")).decode(errors="replace")
                       for key in ("out-data", "err-data"))
        return status.get("exitcode", -1), out, errors

    def run(self, *words, seconds=240):
        """What a command inside says; it must succeed."""
        code, out, errors = self.attempt(*words, seconds=seconds)
        if code != 0:
            raise CommandFailed(f"{shlex.join(map(str, words))} ended with {code}\n{out}{errors}")
        return out

    def write(self, path, text):
        encoded = base64.b64encode(text.encode()).decode()
        self.run("sh", "-c", f"mkdir -p {os.path.dirname(path)} && "
                             f"echo {encoded} | base64 -d > {path}")
