"""The reference interpreter of pipelines: what src/core/pipeline.h and src/flow/pipeline.h promise, without time, storage,
processes or parallelism. tests/e2e/test_flow_random.py runs random pipelines here and on a real server.

    end = run(definition, inputs, library={name: definition}, outside=Outside(…))
    end.state, end.reason, end.data, end.nodes["a"].state

One node after the other, in the definition's order: that this is right at all is the promise that an end does not depend on
who was faster. The only step is test.echo.
"""

import itertools
import re
from dataclasses import dataclass, field

import flow_expr

A_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ATTEMPTS = 3        # of a step that says nothing
REPLACED = "…"      # stands for what a model cannot know: texts of failures, times, who approved


@dataclass
class Outside:
    """What the world does to one job: payloads of signals by name, decisions of approvals by node."""
    signals: dict = field(default_factory=dict)
    approvals: dict = field(default_factory=dict)


@dataclass
class Node:
    state: str = "pending"
    reason: str = ""
    value: object = None
    total: int = 0
    ended: int = 0
    failed: int = 0


@dataclass
class End:
    state: str
    reason: str
    data: object
    nodes: dict


class Fails(Exception):
    """A node or an item that cannot succeed; str() is the reason."""


def of_child(state, data=None, reason=""):
    """The value of a node with one child, or of an item."""
    value = dict(data or {})
    value.setdefault("state", state)
    return {**value, "reason": reason, "detail": REPLACED} if reason else value


def canonical(value):
    """JSON parameters are stored with the members of objects sorted by name."""
    if isinstance(value, dict):
        return {k: canonical(value[k]) for k in sorted(value, key=lambda name: name.encode())}
    return [canonical(v) for v in value] if isinstance(value, list) else value


def echo(params, attempts):
    """test.echo: the value comes back, or a failure; `times` attempts fail with a reason that is tried again."""
    given = {k: v for k, v in params.items() if v is not None}
    times, fail, reason = given.get("times", 0), given.get("fail", False), given.get("reason", "input_damaged")
    whole = isinstance(times, int) and not isinstance(times, bool) and 0 <= times <= 100
    if not whole or not isinstance(fail, bool) or not isinstance(reason, str):
        raise Fails("bad_param")
    if times >= attempts:
        raise Fails("io")
    if fail:
        raise Fails(reason)
    return {"value": canonical(params.get("value"))}


class Job:
    def __init__(self, definition, inputs, library, outside):
        self.definition, self.library, self.outside = definition, library, outside
        declared = definition.get("inputs", {})
        self.inputs = {k: inputs.get(k, v.get("default", False if v["type"] == "bool" else None)) for k, v in declared.items()}
        self.sections = {s: definition.get(s) or {} for s in ("steps", "on-failure", "finally")}
        self.written = {i: n for nodes in self.sections.values() for i, n in nodes.items()}
        self.nodes = {}
        for nodes in self.sections.values():
            self.nodes.update((i, Node()) for i in self.order(nodes))

    def needs(self, node_id, section):
        """Those that are named, and those whose value an expression names; within its section."""
        node = self.written[node_id]
        named = node.get("needs", [])
        spoken = [node.get(k) for k in ("with", "foreach", "matrix", "until")] + ["${{" + unwrap(node.get("if", "true")) + "}}"]
        refs = {path[1] for path in flow_expr.names(spoken) if path[0] == "steps"}
        return (set([named] if isinstance(named, str) else named) | refs) & set(section)

    def order(self, section):
        """Each after all it needs; where nothing decides, as written."""
        left, taken = list(section), []
        while left:
            nxt = next(i for i in left if self.needs(i, section) <= set(taken))
            left.remove(nxt)
            taken.append(nxt)
        return taken

    def scope(self, **more):
        return {"inputs": self.inputs, "steps": {i: n.value for i, n in self.nodes.items()}, **more}

    def failed(self, *sections):
        """The first node, in the order, that fails the job."""
        for i, n in self.nodes.items():
            if n.state == "failed" and not self.written[i].get("continue-on-error") and any(i in self.sections[s] for s in sections):
                return i
        return None

    def run(self):
        self.section("steps")
        first = self.failed("steps")
        self.failure = first and {"step": first, "reason": self.nodes[first].reason, "detail": REPLACED}
        if first:
            self.section("on-failure")
        for node_id in self.sections["on-failure"] if not first else ():
            self.nodes[node_id].state = "skipped"
        self.section("finally")
        first = self.failed("steps", "finally")
        if first:
            return End("failed", self.nodes[first].reason, None, self.nodes)
        return End("done", "", self.outputs(), self.nodes)

    def outputs(self):
        if "outputs" in self.definition:
            return flow_expr.template(self.definition["outputs"], self.scope())
        steps = self.sections["steps"]
        needed = set().union(*(self.needs(i, steps) for i in steps))
        return {i: self.nodes[i].value for i in steps if i not in needed and self.nodes[i].state == "done"}

    def section(self, name):
        for node_id in self.nodes:
            if node_id in self.sections[name]:
                self.begin(node_id, self.sections[name], {} if name == "steps" else {"failure": self.failure})

    def met(self, node_id):
        state = self.nodes[node_id].state
        return state in ("done", "skipped") or (state == "failed" and self.written[node_id].get("continue-on-error", False))

    def begin(self, node_id, section, more):
        node, now = self.written[node_id], self.nodes[node_id]
        if not all(map(self.met, self.needs(node_id, section))):
            now.state = "omitted"
            return
        scope = self.scope(**more)
        if "if" in node and not flow_expr.value(unwrap(node["if"]), scope):
            now.state = "skipped"
            return
        now.state = "done"
        try:
            if "wait" in node:
                now.value = self.wait(node_id, node, scope)
            elif "foreach" in node or "matrix" in node:
                now.value = []
                self.many(node, now, scope)
            else:
                now.total = now.ended = 1
                now.value = of_child("done", self.child(node, scope))
        except Fails as why:
            now.state, now.reason = "failed", str(why)
            if now.value is None:
                now.value = of_child("failed", reason=now.reason)
                now.failed = now.total

    def wait(self, node_id, node, scope):
        kind = node["wait"]
        if kind == "time":
            if "until" in node and not A_TIME.fullmatch(str(flow_expr.template(node["until"], scope))):
                raise Fails("bad_param")
            return {"state": "done"}
        if kind == "approval" and node_id in self.outside.approvals:
            return {"state": "done", "approved": self.outside.approvals[node_id], "comment": REPLACED, "by": REPLACED, "at": REPLACED}
        if kind == "signal" and node.get("signal", node_id) in self.outside.signals:
            return {"state": "done", "payload": self.outside.signals[node.get("signal", node_id)]}
        if node.get("on-timeout") == "continue":
            return {"state": "done", "timed_out": True}
        raise Fails("wait_over")

    def items(self, node, scope):
        if "foreach" in node:
            values = flow_expr.template(node["foreach"], scope)
            if not isinstance(values, list):
                raise Fails("not_a_list")
            return [{"item": v, "index": k} for k, v in enumerate(values)]
        axes = flow_expr.template(node["matrix"], scope)
        if not all(isinstance(values, list) for values in axes.values()):
            raise Fails("not_a_list")
        combinations = [dict(zip(axes, c)) for c in itertools.product(*axes.values())]
        return [{"item": c, "index": k, "matrix": c} for k, c in enumerate(combinations)]

    def many(self, node, now, scope):
        policy = node.get("on-item-failure", "finish")
        items = self.items(node, scope)
        now.total = len(items)
        now.value = [None] * len(items)
        for k, item in enumerate(items):
            if now.failed and policy == "stop":  # with max-parallel 1; otherwise some others have begun
                break
            now.ended += 1
            try:
                now.value[k] = of_child("done", self.child(node, {**scope, **item}))
            except Fails as why:
                now.failed += 1
                now.value[k] = None if policy == "ignore" else of_child("failed", reason=str(why))
        if now.failed and policy != "ignore":
            raise Fails("items_failed")

    def child(self, node, scope):
        params = flow_expr.template(node.get("with", {}), scope)
        if "call" in node:
            end = run(self.library[node["call"]], {k: v for k, v in params.items() if v is not None}, self.library)
            if end.state == "failed":
                raise Fails(end.reason)
            return end.data
        retry = node.get("retry", self.definition.get("defaults", {}).get("retry", ATTEMPTS))
        return echo(params, retry["attempts"] if isinstance(retry, dict) else retry)


def unwrap(condition):
    """The expression of an `if`, which may go without its marks."""
    found = flow_expr.EXPRESSION.fullmatch(str(condition).strip())
    return found[1] if found else str(condition).lower() if isinstance(condition, bool) else condition


def run(definition, inputs, library=None, outside=None):
    return Job(definition, inputs, library or {}, outside or Outside()).run()
