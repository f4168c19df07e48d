#!/usr/bin/python3
"""Books an instance and watches it until it runs, knowing nothing but api/proto.

book_and_watch.py unix:///path/to/socket IMAGE FLAVOR NAME [SECONDS]
"""
import importlib
import pathlib
import sys
import tempfile
import uuid

import grpc
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[3] / "api" / "proto"


def load_stubs(folder):
    protos = [str(path) for path in sorted((PROTO / "stellwerk" / "v1").glob("*.proto"))]
    google = pathlib.Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{PROTO}", f"-I{google}", f"--python_out={folder}",
                 f"--grpc_python_out={folder}", *protos]
    if protoc.main(arguments) != 0:
        sys.exit("cannot generate stubs from " + str(PROTO))
    sys.path.insert(0, folder)
    names = ["instances_pb2", "instances_pb2_grpc", "events_pb2", "events_pb2_grpc"]
    return [importlib.import_module("stellwerk.v1." + name) for name in names]


def book_and_watch(stubs, endpoint, image, flavor, name, seconds):
    instances, instances_grpc, events, events_grpc = stubs
    channel = grpc.insecure_channel(endpoint)
    service = instances_grpc.InstancesStub(channel)
    wanted = instances.Instance(flavor=f"flavors/{flavor}",
                                image=f"projects/default/images/{image}")
    booked = service.CreateInstance(instances.CreateInstanceRequest(
        parent="projects/default", instance_id=name, instance=wanted,
        request_id=str(uuid.uuid4())), timeout=30)
    watch = events.WatchEventsRequest(parent="projects/default", resource=booked.name)
    # Without a token the first response is the place to go on from; each one is a reason to look.
    for response in events_grpc.EventsStub(channel).WatchEvents(watch, timeout=seconds):
        for event in response.events:
            print(event.type, event.reason, event.message, flush=True)
        booked = service.GetInstance(instances.GetInstanceRequest(name=booked.name), timeout=30)
        if booked.phase == instances.Instance.PHASE_RUNNING:
            print(booked)
            return
    sys.exit("the daemon ended the stream")


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        try:
            book_and_watch(load_stubs(folder), *sys.argv[1:5], float((sys.argv[5:] + [300])[0]))
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
