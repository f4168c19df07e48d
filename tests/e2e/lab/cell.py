"""A cell for one test: a stellwerkd with its own configuration, and the CLI that speaks to it."""

import contextlib
import json
import os
import pathlib
import shlex
import signal
import sqlite3
import subprocess
import tomllib

from lab import waiting

BINARIES = pathlib.Path(os.environ.get(
    "STELLWERK_BIN", pathlib.Path(__file__).resolve().parents[3] / "build" / "bin"))
INTERFACE_PREFIX = "sw"
DOMAIN_PREFIX = "stellwerk-"

CONFIGURATION = {
    "daemon": {"log_level": "debug", "operator_group": "stellwerk"},
    "host": {"memory_reserve_mib": 256, "disk_reserve_mib": 16},
    "hypervisor": {"uri": "qemu:///system", "accel": "tcg"},
    "network": {"bridge": "stellwerk0", "subnet": "10.64.0.0/24", "gateway": "10.64.0.1"},
}


class CommandFailed(AssertionError):
    """The CLI did not do what was asked."""


def as_toml(sections):
    lines = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        # JSON's strings, numbers, booleans and lists are TOML's too.
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


class Cell:
    """Everything of one cell lies in one directory below $STELLWERK_LAB."""

    def __init__(self, name="cell", configuration=None):
        self.directory = pathlib.Path(os.environ["STELLWERK_LAB"]) / name
        self.directory.mkdir()
        self.socket = self.directory / "api.sock"
        self.state = self.directory / "state"
        self.storage = self.state / "storage"
        self.database = self.state / "stellwerk.db"
        self.log = self.directory / "stellwerkd.log"
        self.config_file = self.directory / "stellwerkd.toml"
        self.daemon = None
        self.configure(configuration or {})

    def configure(self, changes):
        sections = {section: dict(values) for section, values in CONFIGURATION.items()}
        sections["daemon"] |= {"state_dir": str(self.state), "socket": str(self.socket)}
        sections["storage"] = {"directory": str(self.storage)}
        for section, values in changes.items():
            sections.setdefault(section, {}).update(values)
        self.storage = pathlib.Path(sections["storage"]["directory"])
        text = as_toml(sections)
        tomllib.loads(text)
        self.config_file.write_text(text, encoding="utf-8")

    def launch(self, program="stellwerkd", environment=None):
        """Starts the daemon and does not wait for it."""
        self.state.mkdir(exist_ok=True)
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [BINARIES / program, "all", "--config", self.config_file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=dict(os.environ, **(environment or {})))
        return self.daemon

    def start(self, program="stellwerkd", environment=None):
        """Starts the daemon and returns when its host is ready."""
        self.launch(program, environment)
        waiting.until(self.ready, 60, "stellwerkd to be ready", describe=self.log_tail)

    def ready(self):
        if self.daemon.poll() is not None:
            raise CommandFailed(f"stellwerkd ended with {self.daemon.returncode}\n"
                                + self.log_tail())
        answer = self.run("host", "list", "-o", "json")
        return answer.returncode == 0 and any(
            host["state"] == "READY" for host in json.loads(answer.stdout))

    def kill(self):
        """kill -9, at once."""
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def stop(self):
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(timeout=30)

    def restart(self):
        self.stop()
        self.start()

    def command(self, *words):
        return [str(BINARIES / "stellwerk"), "--endpoint", f"unix://{self.socket}",
                *map(str, words)]

    def run(self, *words, **options):
        """Runs the CLI and returns what came of it, whatever that is."""
        options.setdefault("timeout", 180)
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False,
                              stdin=options.pop("stdin", subprocess.DEVNULL), **options)

    def cli(self, *words, **options):
        """Runs the CLI and insists that it succeeds."""
        result = self.run(*words, **options)
        if result.returncode != 0:
            raise CommandFailed(f"stellwerk {shlex.join(map(str, words))} ended with "
                                f"{result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def json(self, *words):
        return json.loads(self.cli(*words, "-o", "json"))

    def instance(self, name):
        return self.json("instance", "show", name)

    def events(self, *words):
        return self.json("event", "list", *words)

    def instance_files(self, uid):
        """What lies in the storage directory under this uid."""
        if not self.storage.exists():
            return []
        return sorted(str(path.relative_to(self.storage)) for path in self.storage.rglob("*")
                      if uid in str(path.relative_to(self.storage)))

    def stored_keys(self, prefix):
        """Keys of the daemon's table, read beside it."""
        with contextlib.closing(
                sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return sorted(key for table in tables(database)
                          for key in keys_of(database, table) if key.startswith(prefix))

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=25):
        text = "".join(self.log_text().splitlines(True)[-lines:])
        return f"The daemon's last words:\n{text}"


def tables(database):
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in rows]


def keys_of(database, table):
    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    if "key" not in columns:
        return
    for (key,) in database.execute(f'SELECT key FROM "{table}"'):
        yield key.decode() if isinstance(key, bytes) else str(key)


def interface_of(uid, port=0):
    """The tap of one of an instance's ports; all their names begin with the first one's."""
    return INTERFACE_PREFIX + uid.replace("-", "")[:12] + (f"{port:x}" if port else "")


def domain_of(uid):
    return DOMAIN_PREFIX + uid
