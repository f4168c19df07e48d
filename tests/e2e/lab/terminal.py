"""A shell in a tmux of its own, as an engineer sits before it."""

import re
import shlex
import subprocess


class Terminal:
    def __init__(self, socket):
        self.socket = socket
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "main", "-x", "120", "-y", "40",
                  "env PS1='$ ' TERM=screen sh")

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], check=True, timeout=30,
                              capture_output=True, text=True).stdout

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, timeout=30,
                       capture_output=True)

    def type(self, *keys):
        self.tmux("send-keys", "-t", "main", *keys)

    def run(self, words):
        self.type(shlex.join(map(str, words)), "Enter")

    def screen(self):
        return self.tmux("capture-pane", "-p", "-S", "-200", "-t", "main")

    def shows(self, pattern):
        return re.search(pattern, self.screen().rstrip(), re.MULTILINE)

    def last_lines(self, count):
        return "\n".join(self.screen().rstrip().splitlines()[-count:])
