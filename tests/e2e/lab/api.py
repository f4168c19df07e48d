"""The API past the CLI, for what the CLI would not send: stubs made from api/proto alone."""

import importlib
import os
import pathlib
import subprocess
import sys

import grpc

PROTO = pathlib.Path(__file__).resolve().parents[3] / "api" / "proto"


def stubs():
    """(messages, services) modules by file name, generated once for each sandbox."""
    target = pathlib.Path(os.environ["STELLWERK_LAB"]) / "stubs"
    if not target.exists():
        target.mkdir()
        files = sorted(map(str, PROTO.glob("stellwerk/v1/*.proto")))
        # Debian 12's grpc_tools is older than proto3's `optional`; its protoc is not.
        subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={target}", f"--grpc_out={target}",
                        "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", *files],
                       check=True)
    # Another process of the sandbox may have made them.
    if str(target) not in sys.path:
        sys.path.insert(0, str(target))
    return target


def module(name):
    stubs()
    return importlib.import_module(f"stellwerk.v1.{name}")


def channel(cell):
    return grpc.insecure_channel(f"unix:{cell.socket}", options=[
        ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)])


def details_of(error):
    """The google.rpc.Status behind an error, as bytes: field names can be found in it."""
    return dict(error.trailing_metadata())["grpc-status-details-bin"]


def raw_unary(cell, method, request):
    """Calls a method with bytes and returns its answer as bytes."""
    with channel(cell) as open_channel:
        return open_channel.unary_unary(method)(request, timeout=20)


def raw_stream(cell, method, request):
    """The first answer of a streaming method, as bytes."""
    with channel(cell) as open_channel:
        answers = open_channel.stream_stream(method)(iter([request]), timeout=20)
        return next(answers)
