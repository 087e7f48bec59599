"""Expressions of pipelines, a second time and slowly: what src/core/expr.h says, for the model of flow_model.py.

    value("1 + inputs.n", {"inputs": {"n": 2}})           # 3
    template({"a": "${{ item }}!"}, {"item": "x"})        # {"a": "x!"}
    names("${{ steps.a.value }}")                         # {("steps", "a", "value")}
"""

import functools
import hashlib
import json
import math
import re

TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|'((?:[^']|'')*)'|([A-Za-z_](?:[A-Za-z0-9_]|-(?=[A-Za-z0-9_]))*)"
                   r"|(\|\||&&|==|!=|<=|>=|[-+*/%<>!().,\[\]]))")
EXPRESSION = re.compile(r"\$\$\{\{|\$\{\{((?:[^'}]|'[^']*'|\}(?!\}))*)\}\}")


def is_number(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool)


def number(v):
    """As the server holds it: exact while it fits 64 bits, a whole double below 2^53 is an integer, no number is null."""
    if isinstance(v, int) and -2**63 <= v < 2**63:
        return v
    v = float(v)
    if not math.isfinite(v):
        return None
    return int(v) if abs(v) < 2**53 and v == int(v) else v


def same(x, y):
    if is_number(x) and is_number(y):
        return x == y
    if type(x) is not type(y):
        return False
    if isinstance(x, list):
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(same(v, y[k]) for k, v in x.items())
    return x == y


def spell(v):
    """JSON as the server writes it: numbers with 15 digits where that is exact."""
    if isinstance(v, float):
        short = f"{v:.15g}"
        return short if float(short) == v else f"{v:.17g}"
    if isinstance(v, list):
        return "[" + ",".join(map(spell, v)) + "]"
    if isinstance(v, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + spell(i) for k, i in v.items()) + "}"
    return json.dumps(v, ensure_ascii=False)


def text(v):
    return v if isinstance(v, str) else "" if v is None else spell(v)


def canonical(v):
    if isinstance(v, dict):
        return {k: canonical(v[k]) for k in sorted(v, key=str.encode)}
    return list(map(canonical, v)) if isinstance(v, list) else number(v) if is_number(v) else v


def arithmetic(x, sign, y):
    if sign == "+" and (isinstance(x, str) or isinstance(y, str)):
        return text(x) + text(y) if all(isinstance(v, str) or is_number(v) for v in (x, y)) else None
    if not (is_number(x) and is_number(y)):
        return None
    whole = isinstance(x, int) and isinstance(y, int)
    if sign in "/%" and y == 0:
        return None
    if sign == "/":
        return number(x // y if whole and x % y == 0 else x / y)
    if sign == "%":
        return number(int(math.fmod(x, y)) if whole and abs(x) < 2**53 else math.fmod(x, y))
    return number({"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y}[sign]())


def compare(x, sign, y):
    if sign in ("==", "!="):
        return same(x, y) == (sign == "==")
    if isinstance(x, str) and isinstance(y, str):
        x, y = x.encode(), y.encode()
    elif not (is_number(x) and is_number(y)):
        return False
    return {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[sign]


def member(of, index):
    if isinstance(of, dict) and isinstance(index, str):
        return of.get(index)
    if isinstance(of, list) and is_number(index) and index == int(index) and 0 <= index < len(of):
        return of[int(index)]
    return None


def extreme(pick, args):
    values = args[0] if len(args) == 1 and isinstance(args[0], list) else args
    return pick(values) if values and all(map(is_number, values)) else None


def contains(x, y):
    if isinstance(x, list):
        return any(same(v, y) for v in x)
    return y in x if isinstance(x, (str, dict)) and isinstance(y, str) else None


def slice_(x, start, end=None):
    if not isinstance(x, (str, list)) or not is_number(start) or not (end is None or is_number(end)):
        return None
    return x[start:end]


FUNCTIONS = {
    "length": lambda x: 0 if x is None else len(x) if isinstance(x, (str, list, dict)) else None,
    "contains": contains,
    "starts": lambda x, y: x.startswith(y) if isinstance(x, str) and isinstance(y, str) else None,
    "join": lambda x, by="": by.join(map(text, x)) if isinstance(x, list) and isinstance(by, str) else None,
    "split": lambda x, at: x.split(at) if isinstance(x, str) and isinstance(at, str) and at else None,
    "default": lambda *values: next((v for v in values if v is not None), None),
    "keys": lambda x: list(x) if isinstance(x, dict) else None,
    "values": lambda x: list(x.values()) if isinstance(x, dict) else None,
    "first": lambda x: x[0] if isinstance(x, list) and x else None,
    "last": lambda x: x[-1] if isinstance(x, list) and x else None,
    "slice": slice_,
    "upper": lambda x: re.sub("[a-z]", lambda m: m[0].upper(), x) if isinstance(x, str) else None,
    "replace": lambda x, what, by: x.replace(what, by) if isinstance(x, str) and what else None,
    "min": lambda *args: extreme(min, args),
    "max": lambda *args: extreme(max, args),
    "sum": lambda x: functools.reduce(lambda total, v: arithmetic(total, "+", v), x, 0)
    if isinstance(x, list) and all(map(is_number, x)) else None,
    "text": text,
    "hash": lambda x: hashlib.sha256(spell(canonical(x)).encode()).hexdigest(),
    "map": lambda x, name: [member(v, name) for v in x] if isinstance(x, list) and isinstance(name, str) else None,
    "where": lambda x, name, *v: [i for i in x if (same(member(i, name), v[0]) if v else bool(member(i, name)))]
    if isinstance(x, list) else None,
    "range": lambda n: list(range(n)) if isinstance(n, int) and 0 <= n <= 10000 else None,
}
LEVELS = {"||": 0, "&&": 1, **dict.fromkeys(("==", "!=", "<=", ">=", "<", ">"), 2), "+": 3, "-": 3, "*": 4, "/": 4, "%": 4}


@functools.lru_cache(20000)
def tokens(source):
    found, at = [], 0
    while source[at:].strip():
        token = TOKEN.match(source, at)
        assert token, f"{source!r}: nothing to read at {at}"
        found.append(token.groups())
        at = token.end()
    return found + [(None, None, None, None)]


class Reader:
    """By descent; what is read is evaluated at once (there are no effects, so order and short cuts make no difference)."""

    def __init__(self, source, scope, note=None):
        self.tokens, self.at, self.scope, self.note = tokens(source), 0, scope, note

    def sign(self, *any_of):
        if self.tokens[self.at][3] in any_of:
            self.at += 1
            return self.tokens[self.at - 1][3]
        return None

    def level(self, n=0):
        left, compared = self.unary(), False
        while (at := LEVELS.get(self.tokens[self.at][3], -1)) >= n:
            sign = self.sign(*LEVELS)
            right = self.level(at + 1)
            assert not (at == 2 and compared), "one comparison at a time"
            compared = at == 2
            if at < 2:
                left = bool(left) or bool(right) if at == 0 else bool(left) and bool(right)
            else:
                left = compare(left, sign, right) if at == 2 else arithmetic(left, sign, right)
        return left

    def unary(self):
        if self.sign("!"):
            return not self.unary()
        if self.sign("-"):
            return arithmetic(0, "-", self.unary())
        return self.path()

    def path(self):
        value, names = self.primary()
        while sign := self.sign(".", "["):
            index = self.tokens[self.at][2] if sign == "." else self.level()
            constant = sign == "." or self.tokens[self.at - 1][1] is not None
            names = names + [index] if names and constant and isinstance(index, str) else names
            self.at += 1  # the name, or the ]
            value = member(value, index)
        if names and self.note is not None:
            self.note.add(tuple(names))
        return value

    def primary(self):
        digits, quoted, name, sign = self.tokens[self.at]
        self.at += 1
        if digits is not None:
            return number(int(digits) if digits.isdigit() else float(digits)), None
        if quoted is not None:
            return quoted.replace("''", "'"), None
        if sign == "(":
            value = self.level()
            self.at += 1
            return value, None
        if self.sign("("):
            args = []
            while not self.sign(")"):
                args.append(self.level())
                self.sign(",")
            return FUNCTIONS[name](*args), None
        words = {"true": True, "false": False, "null": None}
        return (words[name], None) if name in words else (self.scope.get(name), [name])


def value(source, scope):
    return Reader(source, scope).level()


def template(v, scope):
    if isinstance(v, list):
        return [template(i, scope) for i in v]
    if isinstance(v, dict):
        return {k: template(i, scope) for k, i in v.items()}
    if not isinstance(v, str):
        return v
    alone = EXPRESSION.fullmatch(v)
    if alone and alone[1] is not None:
        return value(alone[1], scope)
    return EXPRESSION.sub(lambda m: "${{" if m[1] is None else text(value(m[1], scope)), v)


@functools.lru_cache(20000)
def names_of_text(v):
    found = set()
    for m in EXPRESSION.finditer(v):
        if m[1] is not None:
            Reader(m[1], {}, found).level()
    return found


def names(v):
    """Every path that starts at a root, with its constant names; of everything within `v`."""
    if isinstance(v, str):
        return names_of_text(v) if "${{" in v else set()
    inside = v.values() if isinstance(v, dict) else v if isinstance(v, list) else []
    return set().union(*map(names, inside))
