"""Furnishes a sandbox's namespaces: mounts, loopback, host name, users. Called once, by `sandbox`,
inside fresh namespaces; nothing here is visible outside of them."""

import os
import socket
import subprocess

# Layered: readable as they are on the machine; what is written stays in here.
LAYERED = ("/etc", "/var/lib", "/var/cache", "/var/log")
# Empty. /run also hides the machine's D-Bus, systemd and libvirt sockets.
EMPTY = ("/run", "/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt",
         "/etc/stellwerk", "/var/lib/stellwerk")
USERS = {"libvirt-qemu": 64055}
GROUPS = {"kvm": 64054, "libvirt-qemu": 64055, "stellwerk": 64056}
HOST_NAME = "lab"


def call(*command):
    subprocess.run(command, check=True)


def folder_for(directory, path):
    folder = directory / path.strip("/").replace("/", "-")
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    return folder


def layer_folders(directory):
    # A tmpfs, because an overlay's upper layer may not lie on another overlay.
    upper = folder_for(directory, "layers")
    call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(upper))
    for path in LAYERED:
        folder = folder_for(upper, path)
        for part in ("upper", "work"):
            (folder / part).mkdir()
        call("mount", "-t", "overlay", "-o",
             f"lowerdir={path},upperdir={folder}/upper,workdir={folder}/work", "overlay", path)


def empty_folders(directory):
    for path in EMPTY:
        os.makedirs(path, exist_ok=True)
        call("mount", "--bind", str(folder_for(directory / "rooms", path)), path)


def remount_kernel_views():
    call("mount", "-t", "proc", "-o", "nosuid,nodev,noexec", "proc", "/proc")
    call("mount", "-t", "sysfs", "-o", "nosuid,nodev,noexec", "sysfs", "/sys")
    call("mount", "-t", "tmpfs", "-o", "nosuid,nodev,mode=1777", "tmpfs", "/dev/shm")


def add_missing(file, entries, line):
    with open(file, encoding="utf-8") as lines:
        present = {text.split(":", 1)[0] for text in lines}
    with open(file, "a", encoding="utf-8") as lines:
        lines.writelines(line.format(name=name, id=number) + "\n"
                         for name, number in entries.items() if name not in present)


def name_host():
    socket.sethostname(HOST_NAME)
    with open("/etc/hosts", "w", encoding="utf-8") as hosts:
        hosts.write(f"127.0.0.1 localhost {HOST_NAME}\n")


def furnish(directory):
    call("mount", "--make-rprivate", "/")
    directory.chmod(0o755)
    (directory / "work").mkdir()
    layer_folders(directory)
    empty_folders(directory)
    remount_kernel_views()
    add_missing("/etc/passwd", USERS, "{name}:x:{id}:{id}::/var/lib/libvirt:/usr/sbin/nologin")
    add_missing("/etc/group", GROUPS, "{name}:x:{id}:")
    name_host()
    call("ip", "link", "set", "lo", "up")
