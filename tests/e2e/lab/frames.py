"""Ethernet frames, made by hand: what a guest's kernel would send, and what it never would.

A frame ends in a token behind its payload, by which it is recognised wherever it comes out."""

import itertools
import socket
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
NOBODY = "00:00:00:00:00:00"
ARP, IP4, IP6, VLAN, QINQ = 0x0806, 0x0800, 0x86DD, 0x8100, 0x88A8
ICMP, IGMP, TCP, UDP, FRAGMENT, ICMP6, OPTIONS = 1, 2, 6, 17, 44, 58, 60
FIN, SYN, RST, ACK = 1, 2, 4, 16
COUNTER = itertools.count(1)


def token():
    return b"[frame %08d]" % next(COUNTER)


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def ethernet(source, target, kind, body):
    return mac_bytes(target) + mac_bytes(source) + struct.pack("!H", kind) + body + token()


def token_of(frame):
    return frame[-16:]


def tagged(frame, kind=VLAN, number=7):
    return frame[:12] + struct.pack("!HH", kind, number) + frame[12:]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_bytes(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def arp(mac, operation, claimed_mac, claimed_ip, asked_ip, target=BROADCAST):
    return ethernet(mac, target, ARP, struct.pack("!HHBBH", 1, IP4, 6, 4, operation)
                    + mac_bytes(claimed_mac) + ip_bytes(claimed_ip)
                    + mac_bytes(NOBODY) + ip_bytes(asked_ip))


def ip4(source, target, protocol, payload, offset=0, more=False, ttl=64):
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7,
                         offset >> 3 | (0x2000 if more else 0), ttl, protocol, 0)
    header += ip_bytes(source) + ip_bytes(target)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ip6(source, target, protocol, payload, hops=64):
    return (struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops)
            + ip_bytes(source) + ip_bytes(target) + payload)


def pseudo(source, target, protocol, payload):
    return (ip_bytes(source) + ip_bytes(target)
            + struct.pack("!IHBB", len(payload), 0, 0, protocol) + payload)


def udp(source_port, target_port, payload=b"hello"):
    # Checksum 0: none, which no rule looks at.
    return struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def tcp(source_port, target_port, flags):
    return struct.pack("!HHIIBBHHH", source_port, target_port, 1, 1, 5 << 4, flags, 1024, 0, 0)


def icmp(kind, code=0, rest=b"\0\1\0\1", payload=b"ping"):
    body = struct.pack("!BBH", kind, code, 0) + rest + payload
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def icmp6(source, target, kind, body):
    message = struct.pack("!BBH", kind, 0, 0) + body
    total = checksum(pseudo(source, target, ICMP6, message))
    return message[:2] + struct.pack("!H", total) + message[4:]


def link_address(kind, mac):
    """A neighbour discovery option (RFC 4861, 4.6.1)."""
    return struct.pack("!BB", kind, 1) + mac_bytes(mac)


def advertisement(source, target, claimed, mac):
    return icmp6(source, target, 136, struct.pack("!I", 0x20000000) + ip_bytes(claimed)
                 + link_address(2, mac))


def solicitation(source, target, asked, option=b""):
    return icmp6(source, target, 135, bytes(4) + ip_bytes(asked) + option)


def router_advertisement(source, target, mac):
    return icmp6(source, target, 134, struct.pack("!BBHII", 64, 0, 1800, 0, 0)
                 + link_address(1, mac))


def fragment(protocol, payload, offset=0, more=False):
    return struct.pack("!BBHI", protocol, 0, offset | int(more), 7) + payload


def options(protocol, length=8):
    """Destination options of padding alone."""
    padding = bytes([1, length - 4]) + bytes(length - 4)
    return struct.pack("!BB", protocol, length // 8 - 1) + padding


def solicited_node(address):
    return "ff02::1:ff%02x:%02x%02x" % tuple(ip_bytes(address)[-3:])


def group_mac(address):
    data = ip_bytes(address)
    if ":" in address:
        return "33:33:" + ":".join(f"{b:02x}" for b in data[-4:])
    return "01:00:5e:%02x:%02x:%02x" % (data[1] & 0x7F, data[2], data[3])


def link_local(mac):
    data = bytearray(mac_bytes(mac))
    data[0] ^= 2
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex("fe80000000000000") + bytes(data[:3])
                            + b"\xff\xfe" + bytes(data[3:]))
