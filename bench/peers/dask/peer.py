#   peer.py - Dask's side of bench/compare: peer.py STEP

import os
import subprocess
import sys
import time

import numpy
import say
from distributed import Client, LocalCluster, wait
from say import WORKERS

TASKS = 2_000
CALLS = 1_000
EACH = 500
QUEUED = 5_000
ACTORS = 1_000
SMALL = 1_000
LARGE = 100_000_000


def noop(number):
    return None


def following(number):
    return number + 1


def make(size, number):
    return bytes(size) if size == SMALL else numpy.full(size, 5, dtype=numpy.uint8)


def work(turns, number):
    say.work(turns)


def gate(path, number):
    while not os.path.exists(path):
        time.sleep(0.001)


class Idler:
    def noop(self):
        return None


class Caller:
    def __init__(self, idlers):
        self.idlers = idlers

    #   A method that blocked would keep the other actors of its worker waiting.
    async def run(self, count):
        answers = [self.idlers[i % len(self.idlers)].noop() for i in range(count)]
        for answer in answers:
            await answer


def one_task(client, number=[0]):
    number[0] += 1
    return client.submit(noop, number[0], pure=False).result()


def spawn(client, kind, *arguments):
    return client.submit(kind, *arguments, actor=True, pure=False).result()


def start(client):
    one_task(client)
    say.say(answered="startup")
    client.wait_for_workers(WORKERS)
    say.ask(measure="memory_idle")
    say.ask(measure="memory_worker", pids=list(client.run(os.getpid).values()))


def calls(client):
    say.latency("task_latency", lambda: one_task(client), 100)
    say.rate("task_rate", lambda count: client.gather(client.map(noop, range(count), pure=False)),
             TASKS, note=f"with {TASKS:,}")
    idlers = [spawn(client, Idler) for _ in range(WORKERS)]
    one = idlers[0]
    say.latency("call_latency", lambda: one.noop().result(), 200)

    def many(count):
        for answer in [one.noop() for _ in range(count)]:
            answer.result()

    say.rate("call_rate", many, CALLS, note=f"with {CALLS:,}")
    callers = [spawn(client, Caller, idlers) for _ in range(WORKERS)]

    def meet(count):
        for answer in [caller.run(count // WORKERS) for caller in callers]:
            answer.result()

    say.rate("call_nn", meet, EACH * WORKERS)


def get(client, size, number=[0]):
    number[0] += 1
    value = client.submit(make, size, number[0], pure=False)
    wait(value)
    begin = time.monotonic()
    data = value.result()
    if size == LARGE:
        assert int(data[::4096].sum()) == 5 * len(data[::4096])
    return time.monotonic() - begin


def objects(client):
    small = bytes(SMALL)
    large = numpy.full(LARGE, 7, dtype=numpy.uint8)
    note = "scatter, direct to a worker"
    say.latency("put_1k", lambda: client.scatter(small, hash=False, direct=True), 50, note=note)
    say.times("get_1k", lambda: get(client, SMALL), 20)
    say.latency("put_100m", lambda: client.scatter(large, hash=False, direct=True), 3, note=note)
    say.times("get_100m", lambda: get(client, LARGE), 3)


def chain(client, length):
    value = 0
    for _ in range(length):
        value = client.submit(following, value, pure=False)
    assert value.result() == length


def chains(client, rows, count):
    note = "of tasks: its actors take no futures"
    say.latency(rows[0], lambda: chain(client, 10), count, note=note)
    say.latency(rows[1], lambda: chain(client, 50), count // 2, note=note)


def queued(client):
    path = os.environ["COMPARE_FOLDER"] + "/gate"
    gates = client.map(gate, [path] * WORKERS, range(WORKERS), pure=False, priority=1)
    tasks = client.map(noop, range(QUEUED), pure=False)
    #   The scheduler has them all when it answers this.
    client.run_on_scheduler(noop, 0)
    begin = time.monotonic()
    with open(path, "w"):
        pass
    wait(tasks)
    say.say(row="queued", value=QUEUED / (time.monotonic() - begin), count=QUEUED)
    client.gather(gates)


def actors(client):
    one_task(client)
    say.ask(measure="before")
    begin = time.monotonic()
    members = client.gather(client.map(lambda number: Idler(), range(ACTORS), actor=True,
                                       pure=False))
    for answer in [member.noop() for member in members]:
        answer.result()
    say.say(row="spawn", value=ACTORS / (time.monotonic() - begin))
    say.ask(measure="memory_actor", since="before", count=ACTORS)


def words(client):
    path = os.environ["COMPARE_TEXT"]
    begin = time.monotonic()
    parts = client.gather([client.submit(say.count_words, path, *cut)
                           for cut in say.slices(path, WORKERS)])
    for part in parts[1:]:
        parts[0].update(part)
    parts[0].most_common(1)
    say.say(row="words", value=(time.monotonic() - begin) * 1e6)


def grain(client):
    for row, work_us in say.GRAINS:
        turns = int(work_us * say.TURNS)
        say.rate(row, lambda count: client.gather(
            client.map(work, [turns] * count, range(count), pure=False)), 500)


STEPS = {"start": start, "calls": calls, "objects": objects, "queued": queued,
         "actors": actors, "words": words, "grain": grain,
         "chain": lambda client: chains(client, ["chain_10", "chain_50"], 20),
         "far": lambda client: chains(client, ["far_10", "far_50"], 10)}


def main():
    cluster = LocalCluster(n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1",
                           scheduler_port=int(os.environ["COMPARE_PORT"]),
                           dashboard_address=None, worker_dashboard_address=None)
    address = cluster.scheduler_address
    if sys.argv[1] == "far":
        far_port = os.environ["COMPARE_FAR_PORT"]
        proxy = subprocess.Popen([f"{os.environ['COMPARE_SCRATCH']}/dask/delay", far_port,
                                  os.environ["COMPARE_PORT"], "5"], stdout=subprocess.PIPE)
        proxy.stdout.readline()
        address = f"tcp://127.0.0.1:{far_port}"
    STEPS[sys.argv[1]](Client(address))
    #   What is left is ended by bench/compare, which is faster.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
