"""What a hostile guest would send, by name; and what an honest one does."""

import struct

from lab import frames as f

HOPS = 255  # what neighbour discovery must show (RFC 4861)
ALL_NODES, ALL_MULTICAST_ROUTERS = "ff02::1", "ff02::16"


def discovery(source, target, message, mac, hops=HOPS):
    return f.ethernet(mac, f.group_mac(target), f.IP6,
                      f.ip6(source, target, f.ICMP6, message, hops))


def datagram4(mac, source, target, payload, protocol=f.UDP, **more):
    return f.ethernet(mac, f.BROADCAST, f.IP4, f.ip4(source, target, protocol, payload, **more))


def datagram6(mac, source, target, payload, protocol=f.UDP, behind=b""):
    """`behind`: in the frame, but no part of the packet."""
    return f.ethernet(mac, f.group_mac(ALL_NODES), f.IP6,
                      f.ip6(source, target, protocol, payload) + behind)


def honest(me, other):
    """By `me`, with everything an honest guest's kernel sends; all of it must arrive."""
    mine = f.link_local(me.mac)
    return {
        "ARP request": f.arp(me.mac, 1, me.mac, me.ip4, other.ip4),
        "gratuitous ARP": f.arp(me.mac, 1, me.mac, me.ip4, me.ip4),
        "ARP reply": f.arp(me.mac, 2, me.mac, me.ip4, other.ip4, target=other.mac),
        "ARP probe": f.arp(me.mac, 1, me.mac, "0.0.0.0", me.ip4),
        "IPv4": f.ethernet(me.mac, other.mac, f.IP4,
                           f.ip4(me.ip4, other.ip4, f.UDP, f.udp(40000, 53))),
        "IPv4 fragment": f.ethernet(me.mac, other.mac, f.IP4,
                                    f.ip4(me.ip4, other.ip4, f.UDP, bytes(64), offset=1480)),
        "IPv4 of a rare protocol": f.ethernet(me.mac, other.mac, f.IP4,
                                              f.ip4(me.ip4, other.ip4, 47, bytes(8))),
        "ping": f.ethernet(me.mac, other.mac, f.IP4, f.ip4(me.ip4, other.ip4, f.ICMP, f.icmp(8))),
        "DHCP client": datagram4(me.mac, me.ip4, "255.255.255.255", f.udp(68, 67)),
        "group membership": datagram4(me.mac, me.ip4, "224.0.0.22", struct.pack("!BBHI", 0x16, 0, 0,
                                                                              0), f.IGMP, ttl=1),
        "IPv6": f.ethernet(me.mac, other.mac, f.IP6,
                           f.ip6(me.ip6, other.ip6, f.UDP, f.udp(40000, 53))),
        "IPv6 of the link": f.ethernet(me.mac, other.mac, f.IP6,
                                       f.ip6(mine, f.link_local(other.mac), f.UDP,
                                             f.udp(40000, 53))),
        "IPv6 fragment": f.ethernet(me.mac, other.mac, f.IP6,
                                    f.ip6(me.ip6, other.ip6, f.FRAGMENT,
                                          f.fragment(f.UDP, bytes(64), offset=1232))),
        "first fragment of IPv6": f.ethernet(
            me.mac, other.mac, f.IP6, f.ip6(me.ip6, other.ip6, f.FRAGMENT, f.fragment(
                f.UDP, f.udp(40000, 53, bytes(64)), more=True))),
        "first fragment of a long ping": f.ethernet(
            me.mac, other.mac, f.IP6, f.ip6(me.ip6, other.ip6, f.FRAGMENT, f.fragment(
                f.ICMP6, f.icmp6(me.ip6, other.ip6, 128, bytes(68)), more=True))),
        "neighbour solicitation": discovery(
            me.ip6, f.solicited_node(other.ip6),
            f.solicitation(me.ip6, f.solicited_node(other.ip6), other.ip6,
                           f.link_address(1, me.mac)), me.mac),
        "neighbour advertisement": discovery(
            me.ip6, ALL_NODES, f.advertisement(me.ip6, ALL_NODES, me.ip6, me.mac), me.mac),
        "advertisement of the link's address": discovery(
            mine, ALL_NODES, f.advertisement(mine, ALL_NODES, mine, me.mac), me.mac),
        "duplicate address detection": discovery(
            "::", f.solicited_node(me.ip6),
            f.solicitation("::", f.solicited_node(me.ip6), me.ip6), me.mac),
        "listener report before there is an address": discovery(
            "::", ALL_MULTICAST_ROUTERS,
            f.icmp6("::", ALL_MULTICAST_ROUTERS, 143, bytes(4)), me.mac, hops=1),
        "router solicitation": discovery(mine, "ff02::2", f.icmp6(mine, "ff02::2", 133, bytes(4)),
                                         me.mac),
    }


def false_identity(me, other, gateway):
    strange = "02:00:00:00:00:77"
    return {
        "another's MAC": f.ethernet(other.mac, f.BROADCAST, f.IP4,
                                    f.ip4(me.ip4, gateway.ip4, f.UDP, f.udp(1, 9))),
        "nobody's MAC": f.ethernet(strange, f.BROADCAST, f.IP4,
                                   f.ip4(me.ip4, gateway.ip4, f.UDP, f.udp(1, 9))),
        "ARP from another's MAC": f.arp(other.mac, 1, other.mac, other.ip4, gateway.ip4),
        "ARP that claims another's address": f.arp(me.mac, 1, me.mac, other.ip4, gateway.ip4),
        "ARP reply for the gateway": f.arp(me.mac, 2, me.mac, gateway.ip4, other.ip4),
        "gratuitous ARP for the gateway": f.arp(me.mac, 1, me.mac, gateway.ip4, gateway.ip4),
        "ARP that gives another's MAC": f.arp(me.mac, 2, other.mac, me.ip4, gateway.ip4),
        "ARP reply for 0.0.0.0": f.arp(me.mac, 2, me.mac, "0.0.0.0", gateway.ip4),
        "ARP probe with another's MAC": f.arp(me.mac, 1, other.mac, "0.0.0.0", gateway.ip4),
        "reverse ARP's operation": f.arp(me.mac, 3, me.mac, me.ip4, gateway.ip4),
        "another's IPv4 address": datagram4(me.mac, other.ip4, gateway.ip4, f.udp(1, 9)),
        "the gateway's IPv4 address": datagram4(me.mac, gateway.ip4, other.ip4, f.udp(1, 9)),
        "an IPv4 address of elsewhere": datagram4(me.mac, "192.0.2.1", other.ip4, f.udp(1, 9)),
        "0.0.0.0": datagram4(me.mac, "0.0.0.0", "255.255.255.255", f.udp(68, 67)),
        "a fragment from another's IPv4 address": datagram4(me.mac, other.ip4, gateway.ip4,
                                                            bytes(64), offset=800),
        "another's IPv6 address": datagram6(me.mac, other.ip6, gateway.ip6, f.udp(1, 9)),
        "another's address of the link": datagram6(me.mac, f.link_local(other.mac), gateway.ip6,
                                                   f.udp(1, 9)),
        "an IPv6 address of elsewhere": datagram6(me.mac, "2001:db8::1", other.ip6, f.udp(1, 9)),
        "no IPv6 address": datagram6(me.mac, "::", other.ip6, f.udp(1, 9)),
    }


def false_discovery(me, other, gateway):
    mine = f.link_local(me.mac)
    nodes = ALL_NODES
    own_node, other_node = f.solicited_node(me.ip6), f.solicited_node(other.ip6)

    def router(payload, protocol):
        return f.ethernet(me.mac, f.group_mac(nodes), f.IP6,
                          f.ip6(mine, nodes, protocol, payload, HOPS))

    advertisement = f.router_advertisement(mine, nodes, me.mac)
    hidden = f.options(f.ICMP6, 64) + advertisement
    return {
        "advertisement for another": discovery(
            me.ip6, nodes, f.advertisement(me.ip6, nodes, other.ip6, me.mac), me.mac),
        "advertisement for the gateway": discovery(
            mine, nodes, f.advertisement(mine, nodes, gateway.ip6, me.mac), me.mac),
        "advertisement as another": discovery(
            other.ip6, nodes, f.advertisement(other.ip6, nodes, other.ip6, me.mac), me.mac),
        "advertisement for another's address of the link": discovery(
            mine, nodes, f.advertisement(mine, nodes, f.link_local(other.mac), me.mac), me.mac),
        "detection for another's address": discovery(
            "::", other_node, f.solicitation("::", other_node, other.ip6), me.mac),
        "detection to everybody": discovery(
            "::", nodes, f.solicitation("::", nodes, me.ip6), me.mac),
        "advertisement from no address": discovery(
            "::", own_node, f.advertisement("::", own_node, me.ip6, me.mac), me.mac),
        "solicitation as another": discovery(
            other.ip6, own_node, f.solicitation(other.ip6, own_node, me.ip6,
                                                f.link_address(1, me.mac)), me.mac),
        "router advertisement": router(advertisement, f.ICMP6),
        "router advertisement as the gateway": discovery(
            gateway.ip6, nodes, f.router_advertisement(gateway.ip6, nodes, me.mac), me.mac),
        "router advertisement behind options": router(f.options(f.ICMP6) + advertisement,
                                                      f.OPTIONS),
        "router advertisement in one fragment": router(f.fragment(f.ICMP6, advertisement),
                                                       f.FRAGMENT),
        "router advertisement's first fragment": router(
            f.fragment(f.ICMP6, advertisement + bytes(8), more=True), f.FRAGMENT),
        "first fragment that does not say what it is": router(
            f.fragment(f.OPTIONS, hidden[:64], more=True), f.FRAGMENT),
        "first fragment cut within its options": router(
            f.fragment(f.OPTIONS, hidden[:32], more=True), f.FRAGMENT),
        "IPv6 redirect": discovery(
            mine, nodes, f.icmp6(mine, nodes, 137, bytes(4) + f.ip_bytes(me.ip6)
                                 + f.ip_bytes(gateway.ip6)), me.mac),
        "listener query": discovery(mine, nodes, f.icmp6(mine, nodes, 130, bytes(24)), me.mac, 1),
        "router renumbering": discovery(mine, nodes, f.icmp6(mine, nodes, 138, bytes(16)), me.mac),
    }


def false_service(me, other, gateway):
    """Of services that a guest may not give: who answers first is believed."""
    mine = f.link_local(me.mac)
    return {
        "DHCP server": datagram4(me.mac, me.ip4, "255.255.255.255", f.udp(67, 68)),
        "DHCP server from another port": datagram4(me.mac, me.ip4, "255.255.255.255",
                                                   f.udp(4011, 68)),
        "DHCP server to a relay": datagram4(me.mac, me.ip4, other.ip4, f.udp(67, 67)),
        "DHCP server's first fragment": datagram4(me.mac, me.ip4, "255.255.255.255",
                                                  f.udp(67, 68, bytes(64)), more=True),
        "DHCP server of IPv6": datagram6(me.mac, mine, ALL_NODES, f.udp(547, 546)),
        "DHCP server of IPv6 behind options": datagram6(
            me.mac, mine, ALL_NODES, f.options(f.UDP) + f.udp(547, 546), f.OPTIONS),
        "DHCP server of IPv6 disguised by what is behind its first fragment": datagram6(
            me.mac, mine, ALL_NODES, f.fragment(f.OPTIONS, f.options(f.OPTIONS), more=True),
            f.FRAGMENT, behind=f.options(f.UDP) + f.udp(1, 9)),
        "DHCP server of IPv6 behind an empty first fragment": datagram6(
            me.mac, mine, ALL_NODES, f.fragment(f.UDP, b"", more=True), f.FRAGMENT,
            behind=f.udp(1, 9)),
        "a fragment behind options": datagram6(
            me.mac, mine, ALL_NODES, f.options(f.FRAGMENT) + f.fragment(f.UDP, bytes(8), 64),
            f.OPTIONS),
        "IPv4 redirect": datagram4(me.mac, me.ip4, other.ip4,
                                   f.icmp(5, 1, f.ip_bytes(gateway.ip4), bytes(28)), f.ICMP),
        "IPv4 router advertisement": datagram4(me.mac, me.ip4, "224.0.0.1",
                                               f.icmp(9, 0, b"\1\2\7\x08", bytes(8)), f.ICMP),
        "membership query": datagram4(me.mac, me.ip4, "224.0.0.1",
                                      struct.pack("!BBHI", 0x11, 100, 0, 0), f.IGMP, ttl=1),
    }


def other_kinds(me, other):
    plain = f.ethernet(me.mac, f.BROADCAST, f.IP4, f.ip4(me.ip4, other.ip4, f.UDP, f.udp(1, 9)))

    def kind(number, body=bytes(46)):
        return f.ethernet(me.mac, f.BROADCAST, number, body)

    return {
        "VLAN tag": f.tagged(plain),
        "VLAN tag of priority alone": f.tagged(plain, number=0xE000),
        "outer VLAN tag": f.tagged(plain, f.QINQ),
        "two VLAN tags": f.tagged(f.tagged(plain)),
        "MPLS": kind(0x8847), "PPPoE discovery": kind(0x8863), "RARP": kind(0x8035),
        "LLDP to everybody": kind(0x88CC), "EAPOL to everybody": kind(0x888E),
        "wake on LAN": kind(0x0842), "MACsec": kind(0x88E5), "a length, not a kind": kind(46),
        "ARP too short": kind(f.ARP, bytes(8)), "ARP of another network": kind(
            f.ARP, struct.pack("!HHBBH", 1, 0x86DD, 6, 16, 1) + bytes(44)),
        "IPv4 cut short": kind(f.IP4, bytes.fromhex("4500")),
        "IPv6 called IPv4": kind(f.IP4, f.ip6(me.ip6, other.ip6, f.UDP, f.udp(1, 9))),
        "spanning tree": f.ethernet(me.mac, "01:80:c2:00:00:00", 39,
                                    bytes.fromhex("424203") + bytes(36)),
    }


def hostile(me, other, gateway):
    return {**false_identity(me, other, gateway), **false_discovery(me, other, gateway),
            **false_service(me, other, gateway), **other_kinds(me, other)}
