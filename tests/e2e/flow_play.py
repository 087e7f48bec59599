"""A case of flow_random.py on a real server, and what is not as the model says."""

import http.client
import json
import time

import flow_model
import flow_random
import platen

UNKNOWN = ("detail", "by", "at", "comment", "outputs")  # texts and times of a value that a model cannot know


class Line:
    """One connection that stays open; answers are JSON."""

    key = False           # requests are repeated, so they need one
    decided = (200,)      # what an approval may be answered with

    def __init__(self, server):
        self.client = server.client()
        self.connection = self.client.connection()

    def ask(self, method, path, body=None, ok=(200, 201, 202), key=None):
        head = {**self.client.auth(), "Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        self.connection.request(method, path, body=None if body is None else json.dumps(body), headers=head)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status in ok, f"{method} {path}: {answer.status} {text[:2000]}\n{json.dumps(body)}"
        return answer.status, json.loads(text or b"null")


def known(v):
    if isinstance(v, dict):
        return {k: known(i) for k, i in v.items() if k not in UNKNOWN}
    return [known(i) for i in v] if isinstance(v, list) else v


class Flow:
    """One case on the server."""

    def __init__(self, line, case):
        self.line, self.case = line, case
        for definition in [*case.library.values(), case.definition]:
            line.ask("POST", "/api/v1/pipelines", definition)
        _, job = line.ask("POST", f"/api/v1/pipelines/{case.definition['name']}/run", {"inputs": case.inputs, "no_memo": case.no_memo},
                          key=line.key and case.definition["name"])
        self.take_on(job["id"])
        self.paused = case.seed % 10 == 3
        if self.paused:
            line.ask("POST", f"/api/v1/jobs/{self.id}/pause", ok=(200, 409))

    def take_on(self, job_id):
        """Does to the job what the world does."""
        self.id, self.left = job_id, dict(self.case.outside.approvals)
        for name, payload in self.case.outside.signals.items():
            self.line.ask("POST", f"/api/v1/jobs/{self.id}/signals/{name}", payload, ok=(200, 409))  # 409: it has ended without

    def nodes(self):
        return {n["id"]: n for n in self.line.ask("GET", f"/api/v1/jobs/{self.id}/nodes")[1]["nodes"]}

    def approve(self):
        """Decides what waits to be decided; false when nothing more will."""
        for node_id, node in self.nodes().items() if self.left else ():
            if node_id in self.left and node["state"] == "waiting":
                self.line.ask("POST", f"/api/v1/jobs/{self.id}/approvals/{node_id}", {"approved": self.left.pop(node_id), "comment": "so"},
                              ok=self.line.decided)
            elif node["state"] not in ("pending", "running", "waiting"):
                self.left.pop(node_id, None)

    def end(self, seconds=30):
        deadline = time.monotonic() + seconds * platen.SLOW
        if self.paused:
            self.line.ask("POST", f"/api/v1/jobs/{self.id}/resume", ok=(200, 409))
        while True:
            self.approve()
            _, job = self.line.ask("GET", f"/api/v1/jobs/{self.id}?wait={0 if self.left else 20}")
            if job["state"] in ("done", "failed", "canceled"):
                return job
            if self.left:
                time.sleep(0.01)
            assert time.monotonic() < deadline, f"it does not end: {job} {self.nodes()}\n{self.case}"


def differences(case, job, nodes):
    """What is not as the model says, as sentences."""
    want = flow_model.run(case.definition, case.inputs, case.library, case.outside)
    found = []

    def compare(what, got, expected):
        if not flow_model.flow_expr.same(got, expected):
            found.append(f"{what} is {got!r}, the model says {expected!r}")
    compare("the job's state", job["state"], want.state)
    compare("the job's reason", job.get("reason", ""), want.reason)
    if want.state == "done":
        compare("data", known(job.get("data")), known(want.data))
    compare("the order of nodes", list(nodes), list(want.nodes))
    for node_id, expected in want.nodes.items():
        node = nodes.get(node_id, {})
        for key in ("state", "total", "ended", "failed"):
            compare(f"{node_id}.{key}", node.get(key), getattr(expected, key))
        compare(f"{node_id}.reason", node.get("reason", ""), expected.reason)
    return found


def history_faults(line, job):
    """Numbered without a gap, begun once and ended once."""
    events = line.ask("GET", f"/api/v1/jobs/{job['id']}/events?limit=1000")[1]["events"]
    types = [e["type"] for e in events]
    ends = [t for t in types if t in ("job.done", "job.failed", "job.canceled")]
    right = [e["seq"] for e in events] == list(range(1, len(events) + 1)) and types[0] == "job.added" and ends == [types[-1]]
    return [] if right and ends == [f"job.{job['state']}"] else [f"its history is {types}"]


def play(flow):
    job = flow.end()
    return differences(flow.case, job, flow.nodes()) + (history_faults(flow.line, job) if flow.case.seed % 10 == 0 else [])


def smallest(server, case):
    """The smallest case found that differs too, under new names (versions of pipelines stay)."""
    line, count = Line(server), [0]

    def renamed(smaller):
        count[0] += 1
        smaller.definition["name"] = f"s{count[0]}-{case.seed}"
        return smaller

    def still_wrong(smaller):
        try:
            return bool(play(Flow(line, renamed(smaller))))
        except (AssertionError, http.client.HTTPException):
            return False  # it is no pipeline any more
    return flow_random.shrink(case, still_wrong)
