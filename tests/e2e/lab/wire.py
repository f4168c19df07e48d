"""A bridge with ports, in namespaces of their own, on which a test plays the guests."""

import ctypes
import os
import select
import socket
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
PACKET_OUTGOING = 4
BRIDGE = "br-test"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Inside:
    """In this block the calling thread is in another network namespace."""

    def __init__(self, name):
        self.name = name

    def enter(self, path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {path}")
        finally:
            os.close(descriptor)

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if self.name:
            self.enter(f"/run/netns/{self.name}")

    def __exit__(self, *_):
        LIBC.setns(self.home, CLONE_NEWNET)
        os.close(self.home)


class Tap:
    """Sends and sees frames on one interface."""

    def __init__(self, interface, room=None):
        with Inside(room):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((interface, ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def close(self):
        self.socket.close()

    def send(self, frame):
        self.socket.send(frame)

    def seen_until(self, last, seconds=20):
        """All that came in, up to the frame that ends in `last`; None if that never came."""
        seen, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
                break
            frame, address = self.socket.recvfrom(65536)
            if address[2] == PACKET_OUTGOING:
                continue
            seen.append(frame)
            if frame.endswith(last):
                return seen
        return None

    def sent_until(self, last, seconds=30):
        """All that went out, up to the frame that ends in `last`; fails if that never went."""
        seen, end = [], time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            frame, address = self.socket.recvfrom(65536)
            if address[2] != PACKET_OUTGOING:
                continue
            seen.append(frame)
            if frame.endswith(last):
                return seen
        raise AssertionError(f"no frame that ends in {last!r} went out in {seconds} s")

    def waiting(self):
        """All that has come in by now."""
        seen = []
        while select.select([self.socket], [], [], 0)[0]:
            frame, address = self.socket.recvfrom(65536)
            if address[2] != PACKET_OUTGOING:
                seen.append(frame)
        return seen

    def forget(self):
        self.waiting()


class Port:
    """One end, `interface`, is on the bridge; the other is alone in a room, as a guest would be."""

    def __init__(self, name, interface, mac, bridge=BRIDGE):
        self.name, self.interface, self.mac = name, interface, mac
        ip("netns", "add", name)
        ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", name)
        with Inside(name):
            for setting in ("all", "default", "eth0"):
                with open(f"/proc/sys/net/ipv6/conf/{setting}/disable_ipv6", "w",
                          encoding="ascii") as file:
                    file.write("1")
            ip("link", "set", "eth0", "address", mac, "up")
        ip("link", "set", interface, "master", bridge, "up")
        self.tap = Tap("eth0", name)

    def remove(self):
        self.tap.close()
        # A namespace goes in its own time, and would keep the name of the interface.
        ip("link", "delete", self.interface)
        ip("netns", "delete", self.name)


def leave_frames_whole():
    """Where frames pass through iptables too, what is behind a packet is cut off: our tokens."""
    for family in ("iptables", "ip6tables"):
        setting = f"/proc/sys/net/bridge/bridge-nf-call-{family}"
        if os.path.exists(setting):
            with open(setting, "w", encoding="ascii") as file:
                file.write("0")


def make_bridge(name=BRIDGE):
    # Multicast snooping would hold back what tests look for.
    ip("link", "add", name, "type", "bridge", "mcast_snooping", "0",
       "no_linklocal_learn", "1")
    leave_frames_whole()
    ip("link", "set", name, "up")
