"""burst_client.py STUBS SOCKET create STATE NAME ... | read get NAME | read list: one client of the
burst, in a process of its own. It says "ready", begins when a line comes, and prints JSON in the
end: the milliseconds of each call. A reader reads until another line comes."""

import json
import select
import sys
import time
import uuid

import grpc

PROJECT = "projects/default"
TIMEOUT = 60
BETWEEN_READS = 0.005


def timed(call, request):
    begun = time.monotonic()
    call(request, timeout=TIMEOUT)
    return (time.monotonic() - begun) * 1000


def create(service, messages, state, names):
    wanted = messages.Instance(flavor="flavors/tiny", image=f"{PROJECT}/images/tiny",
                               desired_state=state)
    requests = [messages.CreateInstanceRequest(parent=PROJECT, instance_id=name, instance=wanted,
                                               request_id=str(uuid.uuid4())) for name in names]
    ready()
    return [timed(service.CreateInstance, request) for request in requests]


def read(service, messages, kind, names):
    if kind == "get":
        call, request = service.GetInstance, messages.GetInstanceRequest(
            name=f"{PROJECT}/instances/{names[0]}")
    else:
        call, request = service.ListInstances, messages.ListInstancesRequest(
            parent=PROJECT, page_size=100)
    call(request, timeout=TIMEOUT)  # the connection is there
    ready()
    found = []
    while not select.select([sys.stdin], [], [], BETWEEN_READS)[0]:
        found.append(timed(call, request))
    return found


def ready():
    print("ready", flush=True)
    sys.stdin.readline()


def main():
    stubs, socket, work, kind, *names = sys.argv[1:]
    sys.path.insert(0, stubs)
    from stellwerk.v1 import instances_pb2, instances_pb2_grpc
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        grpc.channel_ready_future(channel).result(timeout=TIMEOUT)
        service = instances_pb2_grpc.InstancesStub(channel)
        found = {"create": create, "read": read}[work](service, instances_pb2, kind, names)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
