"""Random pipelines: each seed is one, with its inputs, the pipelines it calls and what the world does to it.

    case = make(7)
    smaller = shrink(case, still_wrong)       # drops nodes and what they say as long as still_wrong(case)
"""

import copy
import json
import random
from dataclasses import dataclass

import flow_expr
from flow_model import Outside

SECTIONS = ("steps", "on-failure", "finally")
REASONS = ("input_damaged", "no_text", "limit_count", "path_escape")
LITERALS = ["0", "1", "2", "7", "0.5", "-3", "'a'", "'b c'", "''", "true", "false", "null", "'it''s'"]
FORMS = [f"{{x}} {sign} {{y}}" for sign in "+-*/%"] + [
    "({x} + {y}) * 2", "text({x}) + {y}", "default({x}, {y}, 'none')", "length({x})", "join({l}, ', ')", "join({l}, {x})", "hash({x})",
    "upper(text({x}))", "first({l})", "last(split(text({x}), 'a'))", "slice(text({x}), 1, -1)", "max({x}, {y}, 1)", "min({l})", "sum({l})",
    "keys({x})", "values({x})", "replace(text({x}), 'a', 'bc')", "starts(text({x}), 'a')", "({x})['a']"]
TRUTHS = ["{x} == {y}", "({x}) != {y}", "{x} < {y}", "({x}) >= 1", "!({x})", "!!({x})", "({x} && {y})", "({x} || {y})",
          "contains({l}, {x}) == true"]


@dataclass
class Case:
    seed: int
    definition: dict
    inputs: dict
    library: dict
    outside: Outside
    no_memo: bool

    def __str__(self):
        called = {n["call"] for s in SECTIONS for n in self.definition.get(s, {}).values() if "call" in n}
        parts = {"definition": self.definition, "inputs": self.inputs, "signals": self.outside.signals,
                 "approvals": self.outside.approvals, **{name: self.library[name] for name in called}}
        return "\n".join(f"{k}: {json.dumps(v)}" for k, v in parts.items())


class Maker:
    def __init__(self, seed):
        self.dice, self.seed = random.Random(seed), seed
        self.library, self.outside = {}, Outside()

    def chance(self, percent):
        return self.dice.random() * 100 < percent

    def pick(self, *of):
        return self.dice.choice(of)

    # --- expressions: `refs` are paths that may be named here ---

    def literal(self):
        return self.pick(*LITERALS)

    def expr(self, refs, depth=2):
        if depth == 0 or self.chance(25):
            return self.pick(*refs) if refs and self.chance(75) else self.literal()
        return self.fill(self.pick(*FORMS, None) or self.pick(*TRUTHS), refs, depth - 1)

    def fill(self, form, refs, depth):
        """{x}, {y}: any value; {l}: most often a list."""
        return form.format(**{k: self.list_expr(refs) if k == "l" else self.operand(refs, depth) for k in "xyl" if f"{{{k}}}" in form})

    def operand(self, refs, depth):
        inside = self.expr(refs, depth)
        return f"({inside})" if " " in inside and inside not in LITERALS else inside

    def truth(self, refs, depth=1):
        return self.fill(self.pick(*TRUTHS), refs, depth)

    def list_expr(self, refs):
        if self.chance(10):
            return self.expr(refs, 0)
        lists = [r for r in refs if r.startswith(("map(", "inputs.list"))]
        return self.pick("range(3)", "range(1)", "split('a,b', ',')", "where(inputs.rows, 'k', 1)", *lists)

    def maybe_list(self, refs):
        """No path alone that the check before storing knows to be no list."""
        made = self.list_expr(refs) if self.chance(85) else self.expr(refs)
        return made if "(" in made else f"default({made}, null)"

    def template(self, refs):
        if self.chance(70):
            return "${{ " + self.expr(refs) + " }}"
        inner = "${{ " + self.expr(refs, 1) + " }}"
        return self.pick(5, "plain", None, [1, inner], {"a": inner}, f"x {inner} $${{{{ y", inner + "${{'b'}}")

    # --- nodes ---

    def step(self, refs):
        node = {"uses": "test.echo", "with": {"value": self.template(refs)}}
        if self.chance(10):
            node["with"]["fail"] = True
        elif self.chance(10):
            node["with"]["fail"] = "${{ " + (self.truth(refs) if self.chance(85) else self.expr(refs, 1) + " + 0") + " }}"
        if "fail" in node["with"] and self.chance(50):
            node["with"]["reason"] = self.pick(*REASONS)
        if self.chance(8):
            node["with"]["times"] = self.pick(1, 1, 2)
            node["with"]["value"] = f"{self.seed}-{self.dice.random()}"  # a result that is remembered must not be another's
            node["retry"] = {"attempts": self.pick(1, 2, 3), "delay": "1ms"}
        return node

    def call(self, refs):
        name = f"lib-{self.seed}-{len(self.library)}"
        self.library[name] = Maker(f"{self.seed}/{len(self.library)}").callee(name)
        return {"call": name, "with": {"x": self.template(refs), "n": self.pick(0, 1, 2)}}

    def many(self, node, refs):
        if self.chance(75):
            node["foreach"] = self.pick([1, "two", {"k": 3}], [], "${{ range(4) }}", *(f"${{{{ {self.maybe_list(refs)} }}}}" for _ in "12"))
        else:
            node["matrix"] = {"w": [1, 2, 3][:self.pick(1, 2, 3)]}
            if self.chance(60):
                node["matrix"]["h"] = self.pick(["a", "b"], f"${{{{ {self.maybe_list(refs)} }}}}")
        node["on-item-failure"] = self.pick("finish", "ignore", "stop")
        if node["on-item-failure"] == "stop":
            node["max-parallel"] = 1  # with more, which items begin is a matter of time
        elif self.chance(50):
            node["max-parallel"] = self.pick(1, 2, 3)
        return ["item", "index", "item.k"] + (["matrix.w", "keys(matrix)"] if "matrix" in node else [])

    def work(self, refs, calls):
        node = {}
        own = refs + self.many(node, refs) if self.chance(25) else refs
        node.update(self.call(own) if calls and self.chance(12) else self.step(own))
        return node

    def wait(self, node_id, refs):
        kind = self.pick("time", "time", "signal", "signal", "approval") if self.outside is not None else "time"
        node = {"wait": kind}
        if kind == "time":
            node.update(self.pick({"for": "1ms"}, {"until": "2020-01-01T00:00:00Z"},
                                  {"until": "${{ " + self.expr(refs, 1) + " }}"}))
            return node
        if self.chance(80):
            if kind == "approval":
                self.outside.approvals[node_id] = self.chance(70)
            else:
                node.update({} if self.chance(50) else {"signal": f"go-{node_id}"})
                self.outside.signals[node.get("signal", node_id)] = self.pick({"a": 1}, {}, {"a": [1, "x"], "b": None})
            return node
        return {**node, "timeout": "1ms", **({"on-timeout": self.pick("continue", "fail")} if self.chance(60) else {})}

    def node(self, node_id, refs, calls, waits):
        node = self.wait(node_id, refs) if waits and self.chance(12) else self.work(refs, calls)
        if self.chance(25):
            node["if"] = self.pick("{}", "${{{{ {} }}}}").format(self.truth(refs))
        if self.chance(20):
            node["continue-on-error"] = True
        return node

    def refs_of(self, node_id, node):
        here = f"steps.{node_id}"
        if "foreach" in node or "matrix" in node:
            return [f"map({here}, 'value')", f"length({here})", f"{here}[0].value", f"map({here}, 'state')", f"{here}[1].reason"]
        if "wait" in node:
            return [f"{here}.state", f"{here}.reason", f"{here}.timed_out"] + {"approval": [f"{here}.approved"],
                                                                               "signal": [f"{here}.payload.a"]}.get(node["wait"], [])
        return [f"{here}.state", f"{here}.reason"] + ([f"{here}.out"] if "call" in node else [f"{here}.value", f"{here}.value.a"])

    def section(self, prefix, count, refs, calls, waits):
        nodes = {}
        own = []
        for k in range(count):
            node_id = self.pick(f"{prefix}{k}", f"{prefix}-{k}x", f"{prefix}_{k}")
            node = self.node(node_id, refs + own, calls, waits)
            if nodes and self.chance(25):
                needs = self.dice.sample(list(nodes), min(len(nodes), self.pick(1, 1, 2)))
                node["needs"] = needs[0] if len(needs) == 1 and self.chance(50) else needs
            nodes[node_id] = node
            own += self.refs_of(node_id, node)
        if self.chance(20):
            shuffled = list(nodes)
            self.dice.shuffle(shuffled)
            nodes = {i: nodes[i] for i in shuffled}
        return nodes, refs + own

    def pipeline(self, name, inputs, refs, calls, waits, most):
        definition = {"name": name, "inputs": inputs}
        definition["steps"], all_refs = self.section("n", self.dice.randint(1, most), refs, calls, waits)
        late = all_refs + ["failure.step", "failure.reason"]
        if self.chance(20):
            definition["on-failure"], _ = self.section("f", self.pick(1, 1, 2), late, calls, False)
        if self.chance(20):
            definition["finally"], _ = self.section("z", self.pick(1, 1, 2), late, calls, False)
        if self.chance(60):
            definition["outputs"] = {k: self.template(all_refs) for k in self.pick(["a"], ["a", "b"], ["a", "b", "c"])}
        if self.chance(15):
            definition["defaults"] = self.pick({"retry": {"attempts": 2, "delay": "1ms"}}, {"priority": 3}, {"memo": False})
        return definition

    def callee(self, name):
        self.outside = None
        inputs = {"x": {"type": "json"}, "n": {"type": "int", "default": 1}, "list": {"type": "list", "default": ["p", "q"]},
                  "rows": {"type": "json", "default": [{"k": 1}]}}
        made = self.pipeline(name, inputs, ["inputs.x", "inputs.n", "inputs.list", "inputs.x.a"], False, True, 3)
        made["outputs"] = {"out": self.template(["inputs.x"] + self.refs_of(*next(iter(made["steps"].items()))))}
        return made

    def inputs(self):
        given = {"n": self.pick(0, 3, -1), "word": "äb€", "flag": True, "list": ["x", "a"], "any": self.pick([1, "a"], 7, {"b": {}})}
        chosen = {k: v for k, v in given.items() if self.chance(50)}
        chosen["rows"] = self.pick([{"k": 1, "v": 2}, {"k": 2}], [], "no list")
        return chosen

    def case(self):
        inputs = {"n": {"type": "int", "default": 4}, "word": {"type": "text", "default": "wort"}, "flag": {"type": "bool"},
                  "list": {"type": "list", "default": ["a", "b"]}, "any": {"type": "json", "default": {"a": [1, 2.5]}},
                  "rows": {"type": "json", "required": True}}
        refs = ["inputs.n", "inputs.word", "inputs.flag", "inputs.list", "inputs.any", "inputs.any.a", "inputs.any.a[1]"]
        definition = self.pipeline(f"p-{self.seed}", inputs, refs, True, True, self.pick(2, 4, 6, 9))
        chosen = self.inputs()
        return Case(self.seed, definition, chosen, self.library, self.outside, self.chance(70))


def make(seed):
    return Maker(seed).case()


def other_inputs(seed):
    """Further inputs for the pipeline of this seed."""
    return Maker(f"{seed} again").inputs()


# --- smaller ---

def scrub(v, node_id):
    """`v` without what names the node."""
    if isinstance(v, dict):
        return {k: scrub(i, node_id) for k, i in v.items()}
    if isinstance(v, list):
        return [scrub(i, node_id) for i in v]
    return None if ("steps", node_id) in {p[:2] for p in flow_expr.names(v)} else v


def without_node(case, section, node_id):
    smaller = copy.deepcopy(case)
    d = smaller.definition
    del d[section][node_id]
    for nodes in [d[s] for s in SECTIONS if s in d]:
        for other in nodes.values():
            if "needs" in other:
                named = [other["needs"]] if isinstance(other["needs"], str) else other["needs"]
                other["needs"] = [n for n in named if n != node_id]
            if "if" in other and f"steps.{node_id}" in str(other["if"]):
                del other["if"]
            for key in ("with", "foreach", "matrix", "until"):
                if key in other:
                    other[key] = scrub(other[key], node_id) or {"with": {}, "foreach": [1], "matrix": {"w": [1]}}.get(key, "2020-01-01")
    if "outputs" in d:
        d["outputs"] = scrub(d["outputs"], node_id)
    return smaller


def smaller_ones(case):
    d = case.definition
    for section in SECTIONS:
        for node_id in list(d.get(section, {})):
            if section != "steps" or len(d["steps"]) > 1:
                yield without_node(case, section, node_id)
    for path in [(s,) for s in ("on-failure", "finally", "outputs", "defaults")] + [("outputs", k) for k in d.get("outputs", {})]:
        yield from dropped(case, path)
    for section in SECTIONS:
        for node_id, node in d.get(section, {}).items():
            for key in node:
                if key not in ("uses", "call", "wait"):
                    yield from dropped(case, (section, node_id, key))
            for key in node.get("with", {}):
                yield from dropped(case, (section, node_id, "with", key))


def dropped(case, path):
    smaller = copy.deepcopy(case)
    at = smaller.definition
    for key in path[:-1]:
        at = at[key]
    if path[-1] in at:
        del at[path[-1]]
        yield smaller


def shrink(case, still_wrong, tries=300):
    again = True
    while again:
        again = False
        for smaller in smaller_ones(case):
            tries -= 1
            if tries > 0 and still_wrong(smaller):
                case, again = smaller, True
                break
    return case
