"""Random pipelines on a real server end as the reference interpreter says (flow_model.py): states of all nodes, values, the job's end.

PLATEN_FLOWS says how many, PLATEN_SEED where they begin. A pipeline that ends otherwise is made smaller before it is shown.
"""

import os
import threading
import time

import flow_play
import flow_random
import platen

FLOWS = int(os.environ.get("PLATEN_FLOWS") or (1500 if platen.SANITIZED else 10000))
FIRST = int(os.environ.get("PLATEN_SEED") or 1) * 1000000
AT_ONCE, CLIENTS = 60, 3


class Players:
    """Clients that each take a portion of seeds: start all, then look how they ended."""

    def __init__(self, server):
        self.server, self.lock, self.next, self.wrong, self.broken = server, threading.Lock(), 0, [], []
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(CLIENTS)]

    def portion(self):
        with self.lock:
            first = self.next
            self.next = min(self.next + AT_ONCE, FLOWS)
            return [] if self.wrong or self.broken else [flow_random.make(FIRST + k) for k in range(first, self.next)]

    def work(self):
        try:
            line = flow_play.Line(self.server)
            while cases := self.portion():
                for flow in [flow_play.Flow(line, case) for case in cases]:
                    found = flow_play.play(flow)
                    if found:
                        self.wrong.append((flow.case, found))
        except BaseException as why:  # shown by the test
            self.broken.append(why)
            raise

    def play(self):
        for t in self.threads:
            t.start()
        for t in self.threads:
            t.join()


def test_random_pipelines_end_as_the_model_says(new_server):
    server = new_server("flows", args=["--log-level", "warn"])
    players, began = Players(server), time.monotonic()
    players.play()
    if players.broken:
        raise players.broken[0]
    took = time.monotonic() - began
    for case, found in players.wrong[:1]:
        small = flow_play.smallest(server, case)
        again = flow_play.play(flow_play.Flow(flow_play.Line(server), small))
        raise AssertionError("\n".join([f"seed {case.seed}: {found}", str(small), *again]))
    print(f"\n{FLOWS} pipelines in {took:.1f} s, {FLOWS / took:.0f}/s")
