"""Figures of pipelines and of large queues; see run.py."""
import json
import os
import statistics
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT.parent / "shared" / "bench" / "queue" / "run.sh"
FIVE = {"name": "five", "steps": {f"s{i}": {"uses": "test.noop", **({"needs": [f"s{i - 1}"]} if i else {})} for i in range(5)}}
ASK = {"name": "ask", "steps": {"wait": {"wait": "signal", "signal": "go"}}}
JSON = {"Content-Type": "application/json"}


def store(server, definition):
    server.call("PUT", f"/api/v1/pipelines/{definition['name']}", json.dumps(definition), JSON)


def running(server, connection):
    return server.call("GET", "/api/v1/jobs?state=running&limit=1", connection=connection)["jobs"]


def run_pipelines(server, wrk, seconds):
    """Jobs per second from the first request to the end of the last job."""
    store(server, FIVE)
    connection = server.connection()
    begun = time.monotonic()
    accepted = round(wrk(server, "flow.lua", seconds=seconds, connections=16) * seconds)
    while running(server, connection):
        time.sleep(0.05)
    return accepted / (time.monotonic() - begun)


def bench_flow(Server, wrk, build, report):
    rates = []
    for _ in range(3):
        with Server(build, "--internal-steps") as s:
            rates.append(run_pipelines(s, wrk, 4))
    rate = statistics.median(rates)
    report.add("pipeline of 5 no-op steps", rate, "jobs/s", ">= 2,000/s", rate >= 2000)
    waiting(Server, build, report)


def disk(server):
    return sum(p.stat().st_size for p in server.data.glob("platen.db*") if not p.name.endswith("shm"))


def start_many(server, path, body, count, threads=8):
    def some(n):
        connection = server.connection()
        for _ in range(n):
            server.call("POST", path, body, JSON, connection)
    workers = [threading.Thread(target=some, args=(count // threads,)) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


def waiting(Server, build, report, count=16000):
    """What a job that waits for a signal takes: on disk after a checkpoint, and in memory."""
    with Server(build) as s:
        store(s, ASK)
        start_many(s, "/api/v1/pipelines/ask/run", '{"inputs":{}}', 2 * count)  # caches are full then
        s.call("POST", "/api/v1/backup", "{}", JSON)
        before, rss = (s.data / "platen.db").stat().st_size, s.rss()
        start_many(s, "/api/v1/pipelines/ask/run", '{"inputs":{}}', count)
        time.sleep(2)
        on_disk = (disk(s) - before) / count
        report.add("a waiting job, memory", (s.rss() - rss) / count, "bytes", "0", (s.rss() - rss) / count < 64)
        data = s.data
        s.process.terminate()
        s.process.wait()
        after = (data / "platen.db").stat().st_size
        report.add("a waiting job, on disk", (after - before) / count, "bytes", "<= 1,024", (after - before) / count <= 1024,
                   {"name": "with the log not yet folded in", "value": on_disk})


def bulk(server, connection, key, count, delay=0):
    body = json.dumps({"jobs": [{"step": "test.noop", **({"delay_ms": delay} if delay else {})} for _ in range(1000)]})
    begun = time.monotonic()
    for _ in range(count // 1000):
        connection.request("POST", "/api/v1/jobs", body, {"Authorization": f"Bearer {key}", **JSON})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"bulk: {answer.status}")
    return count / (time.monotonic() - begun)


def lists(server, connection):
    """The slowest of the pages that people look at, in ms; each as its median of 5."""
    slowest = 0
    for path in ("/api/v1/jobs?limit=50", "/api/v1/jobs?state=queued&limit=50", "/api/v1/jobs?state=failed&limit=50",
                 "/api/v1/jobs?step=test.noop&limit=50", "/api/v1/pipelines", "/api/v1/dead-letters", "/api/v1/schedules"):
        times = []
        for _ in range(5):
            begun = time.monotonic()
            server.call("GET", path, connection=connection)
            times.append((time.monotonic() - begun) * 1000)
        slowest = max(slowest, statistics.median(times))
    return slowest


def bench_million(Server, wrk, build, report, count=1000000):
    """A million tasks in the queue: enqueue, drain, pages, and the file afterwards."""
    with Server(build, "--internal-steps") as s:
        c = s.connection()
        s.call("POST", "/api/v1/queues/default/pause?scope=all", "{}", JSON)
        empty = statistics.median(bulk(s, c, s.key, 50000) for _ in range(2))
        rest = bulk(s, c, s.key, count - 150000)
        full = bulk(s, c, s.key, 50000)
        report.add("enqueue with 1,000,000 queued", full, "tasks/s", ">= 0.8x of empty", full >= 0.8 * empty,
                   {"name": "with an empty queue", "value": empty}, full / empty)
        for i in range(100):
            store(s, {**FIVE, "name": f"five-{i}"})
        ms = lists(s, c)
        report.add("slowest list page with 1,000,000 queued", ms, "ms", "<= 50 ms", ms <= 50, {"name": "enqueued between at", "value": rest})
        begun, first = time.monotonic(), None
        s.call("POST", "/api/v1/queues/default/resume?scope=all", "{}", JSON)
        left = lambda: next((q["ready"] for q in s.call("GET", "/api/v1/queues", connection=c)["queues"] if q["name"] == "default"), 0)
        marks = []
        while (n := left()) > 0:
            marks.append((time.monotonic() - begun, n))
            time.sleep(0.5)
        marks.append((time.monotonic() - begun, 0))
        early = [m for m in marks if m[1] > count * 0.8]
        late = [m for m in marks if m[1] < count * 0.2]
        rate = lambda ms_: (ms_[0][1] - ms_[-1][1]) / (ms_[-1][0] - ms_[0][0]) if len(ms_) > 1 and ms_[-1][0] > ms_[0][0] else 0
        report.add("drain while 1,000,000 are queued", rate(early), "tasks/s", ">= 0.8x of the last 200,000", rate(early) >= 0.8 * rate(late),
                   {"name": "the last 200,000", "value": rate(late)}, rate(early) / rate(late) if rate(late) else None)


def bench_peers(Server, wrk, build, report):
    """Durable peers on this machine, by the scripts beside the repository."""
    if not PEERS.exists():
        raise RuntimeError("the peers' scripts are not here")
    out = build / "peers.jsonl"
    out.write_text("")
    subprocess.run([PEERS, *os.environ.get("PEERS", "beanstalkd workflows").split()], cwd=PEERS.parent, check=True,
                   env={**os.environ, "OUT": str(out), "REPEAT": os.environ.get("REPEAT", "1")}, stdout=subprocess.DEVNULL)
    rows = [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]
    durable = [r for r in rows if r.get("fsync_before_ack") == "yes" and not r.get("error")]
    for metric, what in (("enqueue", "clients"), ("drain", "concurrency"), ("workflow", "in_flight")):
        best = max((r for r in durable if r.get("metric") == metric), key=lambda r: r["value"], default=None)
        if best:
            report.add(f"peer: {metric}", best["value"], "/s", "for comparison", True, {"name": f"{best['peer']} {best['setting']}", "value": best["value"]})
