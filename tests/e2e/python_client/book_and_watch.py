#!/usr/bin/python3
"""Books an instance and watches it until it runs, knowing nothing but api/proto.

book_and_watch.py unix:///path/to/socket IMAGE FLAVOR NAME
"""
import pathlib
import subprocess
import sys
import tempfile
import uuid

import grpc

PROTO = pathlib.Path(__file__).resolve().parents[3] / "api" / "proto"
stubs = tempfile.TemporaryDirectory()
subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={stubs.name}", f"--grpc_out={stubs.name}",
                "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin",
                *map(str, PROTO.glob("stellwerk/v1/*.proto"))], check=True)
sys.path.append(stubs.name)
from stellwerk.v1 import events_pb2 as events, events_pb2_grpc as events_grpc
from stellwerk.v1 import instances_pb2 as instances, instances_pb2_grpc as instances_grpc

endpoint, image, flavor, name = sys.argv[1:]
channel = grpc.insecure_channel(endpoint)
service = instances_grpc.InstancesStub(channel)
booked = service.CreateInstance(instances.CreateInstanceRequest(
    parent="projects/default", instance_id=name, request_id=str(uuid.uuid4()),
    instance=instances.Instance(flavor=f"flavors/{flavor}",
                                image=f"projects/default/images/{image}")), timeout=30)
# Without a token the first response is the place to go on from; each one is a reason to look.
watch = events.WatchEventsRequest(parent="projects/default", resource=booked.name)
for response in events_grpc.EventsStub(channel).WatchEvents(watch, timeout=90):
    for event in response.events:
        print(event.type, event.reason, event.message, flush=True)
    booked = service.GetInstance(instances.GetInstanceRequest(name=booked.name), timeout=30)
    if booked.phase == instances.Instance.PHASE_RUNNING:
        print(booked)
        break
