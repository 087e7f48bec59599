"""kill -9 of the server at random instants under load: nothing accepted is lost, nothing happens twice unseen.

PLATEN_KILLS says how often (`make crash`: 200).
"""

import hashlib
import http.client
import os
import random
import sqlite3
import threading
import time

import platen

KILLS = int(os.environ.get("PLATEN_KILLS") or (8 if platen.SANITIZED else 60))
ATTEMPTS = 100  # a kill costs every task that was leased an attempt, also one that only waited for a runner


class Load:
    """Clients that start jobs as fast as they are answered, each with an idempotency key, and repeat what was not answered."""

    def __init__(self, server, clients=4):
        self.server, self.lock = server, threading.Lock()
        self.accepted = {}  # idempotency key -> job id
        self.kinds = {}     # idempotency key -> kind
        self.up, self.stopped = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(clients)]
        for t in self.threads:
            t.start()

    def work(self, n):
        dice, count = random.Random(n), 0
        while not self.stopped.is_set():
            kind = dice.choice(("noop", "noop", "stats", "sleep", "flaky", "extract", "tokens"))
            key = f"{n}-{count}"
            count += 1
            self.kinds[key] = kind
            while not self.stopped.is_set() or self.up.is_set():
                self.up.wait(30)
                try:
                    answer = self.start(kind, key)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.005)  # it was killed: the same request again, with the same key
                    continue
                assert answer.status in (200, 202), answer
                with self.lock:
                    before = self.accepted.setdefault(key, answer.json()["id"])
                assert before == answer.json()["id"], f"the key {key} made two jobs"
                break

    def start(self, kind, key):
        client = self.server.client(timeout=10)
        client.contract = None  # checked elsewhere; here only speed counts
        head = {"Idempotency-Key": key}
        if kind == "extract":
            return client.post("/api/v1/steps/document.extract", headers=head, form=[("attempts", str(ATTEMPTS))], files=["notes.md"])
        params = {"noop": ("test.noop", {}), "stats": ("text.stats", {"text": f"one two {key}"}), "sleep": ("test.sleep", {"ms": 30}),
                  "tokens": ("text.tokens", {"text": "one two"}),
                  "flaky": ("test.fail", {"reason": "io", "until_attempt": 2})}
        step, given = params[kind]
        return client.post(f"/api/v1/steps/{step}", headers=head, json={"params": given, "attempts": ATTEMPTS})

    def stop(self):
        self.stopped.set()
        for t in self.threads:
            t.join(60)
            assert not t.is_alive(), "a client hangs"


def check_history(client, job):
    """Numbered without a gap, one beginning, one end, one start per attempt, every attempt but the last with its failure."""
    events = client.get(f"/api/v1/jobs/{job['id']}/events", {"limit": 1000}).json()["events"]
    types = [e["type"] for e in events]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1)), events
    assert types[0] == "job.added" and types.count("job.added") == 1, types
    assert types[-1] == f"job.{job['state']}" and sum(t in ("job.done", "job.failed") for t in types) == 1, types
    assert types.count("task.started") == job["attempts"], (job, types)
    failures = sum(t in ("task.retry", "task.lost") for t in types)
    assert failures == job["attempts"] - (1 if job["state"] == "done" else 0) or job["state"] == "failed", types


def check_usage(server):
    """What was used is told once per attempt, and the sums of hours and days are those of the facts."""
    db = sqlite3.connect(f"file:{server.data}/platen.db?mode=ro", uri=True)
    def sums(table, what):
        return db.execute(f"SELECT project, unit, sum(amount), {what} FROM {table} GROUP BY 1, 2").fetchall()
    facts = sums("usage_event", "count(*)")
    assert facts, "nothing was used: the test tests nothing"
    for span_ms in (3600000, 86400000):
        assert sums(f"(SELECT * FROM usage_total WHERE span_ms = {span_ms})", "sum(facts)") == facts
    db.close()


def test_kill_9_loses_nothing(new_server):
    server = new_server("crash", args=["--log-level", "warn"])
    load, dice = Load(server), random.Random(int(os.environ.get("PLATEN_SEED") or 1))
    load.up.set()
    for _ in range(KILLS):
        # The random instant, not a wait. Now and then it is late enough for engines to have started and ended something.
        time.sleep(dice.uniform(0.0, 0.8 if dice.random() < 0.2 else 0.12))
        load.up.clear()
        server.kill()
        server.start()
        load.up.set()
    load.stop()
    client = server.client()
    client.contract = None
    assert len(load.accepted) > KILLS, "hardly anything was accepted: the test tests nothing"
    lost, states = 0, {}
    for key, job_id in load.accepted.items():
        job = client.wait(job_id, 120)
        check_history(client, job)
        states[job["state"]] = states.get(job["state"], 0) + 1
        lost += job["attempts"] > (2 if load.kinds[key] == "flaky" else 1)
        assert job["state"] == "done", job
        if load.kinds[key] == "extract":
            body = client.output(job)
            assert hashlib.sha256(body).hexdigest() == job["outputs"][0]["blob"] and b"#" in body
    listed, cursor = 0, None
    while True:
        page = client.get("/api/v1/jobs", {"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        listed += len(page["jobs"])
        cursor = page.get("next")
        if not cursor:
            break
    assert listed == len(load.kinds) or listed == len(load.accepted), (listed, len(load.accepted), len(load.kinds))
    assert client.get("/api/v1/dead-letters").json()["dead_letters"] == []
    server.stop()
    check_usage(server)
    doctor = platen.cli("doctor", "--data", server.data, "--full", check=0)
    print(f"\n{KILLS} kills, {len(load.accepted)} jobs accepted, {states}, {lost} visibly tried again; {doctor.stdout.splitlines()[-1]}")
