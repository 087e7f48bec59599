"""kill -9 of the server at random instants while random pipelines run: they end as the model says all the same.

PLATEN_KILLS says how often.
"""

import http.client
import os
import random
import threading
import time

import flow_play
import flow_random
import platen

KILLS = int(os.environ.get("PLATEN_KILLS") or (4 if platen.SANITIZED else 12))
FIRST = int(os.environ.get("PLATEN_SEED") or 1) * 1000000 + 500000
AT_ONCE, CLIENTS = 20, 3


class PatientLine(flow_play.Line):
    """Asks again until it is answered; a request that starts a job carries a key, so it starts one."""

    key, decided = True, (200, 409)

    def __init__(self, server, up):
        self.server, self.up = server, up
        self.client, self.connection = None, None

    def ask(self, *request, **more):
        deadline = time.monotonic() + 60 * platen.SLOW
        while True:
            assert self.up.wait(60), "the server does not come back"
            try:
                if self.connection is None:
                    self.client = self.server.client()
                    self.connection = self.client.connection()
                return super().ask(*request, **more)
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < deadline, f"{request} is never answered"
                self.connection = None
                time.sleep(0.005)


def patient(case):
    """A kill costs every task that was leased an attempt: none may fail by that."""
    for definition in [case.definition, *case.library.values()]:
        definition.setdefault("defaults", {})["retry"] = {"attempts": 100, "delay": "1ms"}
        for node in [n for s in flow_random.SECTIONS for n in definition.get(s, {}).values()]:
            node.pop("retry", None)
            node.get("with", {}).pop("times", None)
    return case


class Load:
    def __init__(self, server):
        self.server, self.up, self.stopped = server, threading.Event(), threading.Event()
        self.lock, self.next, self.wrong, self.broken = threading.Lock(), FIRST, [], []
        self.up.set()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def portion(self):
        with self.lock:
            self.next += AT_ONCE
            return [patient(flow_random.make(seed)) for seed in range(self.next - AT_ONCE, self.next)]

    def work(self):
        try:
            line = PatientLine(self.server, self.up)
            while not self.stopped.is_set():
                for flow in [flow_play.Flow(line, case) for case in self.portion()]:
                    found = flow_play.play(flow)
                    if found:
                        self.wrong.append((flow.case, flow.id, found))
        except BaseException as why:  # shown by the test
            self.broken.append(why)
            raise


def test_kill_9_changes_no_end(new_server):
    server = new_server("flow-crash", args=["--log-level", "warn"])
    load, dice = Load(server), random.Random(int(os.environ.get("PLATEN_SEED") or 1))
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.05, 0.5))  # the random instant, not a wait
        load.up.clear()
        server.kill()
        server.start()
        load.up.set()
    load.stopped.set()
    for t in load.threads:
        t.join(120 * platen.SLOW)
        assert not t.is_alive(), "a pipeline does not end"
    if load.broken:
        raise load.broken[0]
    for case, job, found in load.wrong[:1]:
        raise AssertionError(f"seed {case.seed}, {job}: {found}\n{case}")
    print(f"\n{KILLS} kills, {load.next - FIRST} pipelines")
