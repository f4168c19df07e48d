"""nftables' rules as the kernel has them, through libnftables: its tool may be missing."""

import ctypes
import json

JSON_OUTPUT = 1 << 4
OURS = "bridge stellwerk"


class RuleError(AssertionError):
    """nftables refused a command."""


def library():
    found = ctypes.CDLL("libnftables.so.1")
    found.nft_ctx_new.restype = ctypes.c_void_p
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(found, name).restype = ctypes.c_char_p
    return found


def run(command):
    """What the command prints, as text; JSON where it lists."""
    nft = library()
    context = ctypes.c_void_p(nft.nft_ctx_new(0))
    try:
        nft.nft_ctx_output_set_flags(context, JSON_OUTPUT)
        nft.nft_ctx_buffer_output(context)
        nft.nft_ctx_buffer_error(context)
        if nft.nft_run_cmd_from_buffer(context, command.encode()) != 0:
            raise RuleError(f"{command}: {nft.nft_ctx_get_error_buffer(context).decode()}")
        return nft.nft_ctx_get_output_buffer(context).decode()
    finally:
        nft.nft_ctx_free(context)


def tables():
    """{"bridge stellwerk", ...}"""
    listed = json.loads(run("list tables") or '{"nftables": []}')["nftables"]
    return {f"{one['table']['family']} {one['table']['name']}"
            for one in listed if "table" in one}


def listing(table):
    """All that a table holds, handles included; None if there is no such table."""
    return json.loads(run(f"list table {table}"))["nftables"] if table in tables() else None


def guarded(interface, address=""):
    """Whether our table speaks of this interface (and in one chain or set of it of the address)."""
    text = json.dumps(listing(OURS) or [])
    return f'"{interface}"' in text and address in text
