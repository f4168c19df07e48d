"""The sandbox's own libvirtd: runs in the foreground without systemd and cgroups."""

import os
import pathlib
import signal
import socket
import subprocess
import uuid

from lab import waiting

CONFIGURATION = pathlib.Path("/etc/libvirt")
LOG = pathlib.Path("/var/log/libvirt/libvirtd.log")
PID_FILE = pathlib.Path("/run/lab-libvirtd.pid")
SOCKET = "/run/libvirt/libvirt-sock"
URI = "qemu:///system"

# stdio_handler: QEMU itself writes consoles' logs, so no virtlogd is needed.
QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""
LIBVIRTD_CONF = """host_uuid = "{uuid}"
auth_unix_rw = "none"
auth_unix_ro = "none"
max_clients = 200
max_workers = 40
log_outputs = "3:file:{log}"
"""


def configure():
    CONFIGURATION.mkdir(exist_ok=True)
    (CONFIGURATION / "qemu.conf").write_text(QEMU_CONF, encoding="utf-8")
    text = LIBVIRTD_CONF.format(uuid=uuid.uuid4(), log=LOG)
    (CONFIGURATION / "libvirtd.conf").write_text(text, encoding="utf-8")


def answers():
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(SOCKET) == 0


def start():
    """Starts libvirtd and returns when it answers."""
    if not (CONFIGURATION / "libvirtd.conf").exists():
        configure()
    with open("/var/log/libvirt/libvirtd.out", "ab") as output:
        daemon = subprocess.Popen(
            ["/usr/sbin/libvirtd", "--config", str(CONFIGURATION / "libvirtd.conf"),
             "--pid-file", "/run/libvirtd.pid"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    PID_FILE.write_text(str(daemon.pid), encoding="utf-8")
    waiting.until(answers, 30, "libvirtd to answer", describe=log_tail)
    return daemon.pid


def kill():
    """kill -9, and returns when it is gone; guests do not notice."""
    pid = int(PID_FILE.read_text(encoding="utf-8"))
    os.kill(pid, signal.SIGKILL)
    waiting.until(lambda: not waiting.alive(pid), 10, "libvirtd to be gone")


def log_tail(lines=15):
    text = ""
    for file in (LOG, pathlib.Path("/var/log/libvirt/libvirtd.out")):
        if file.exists():
            text += "".join(file.read_text(errors="replace").splitlines(True)[-lines:])
    return text
