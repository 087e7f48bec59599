#!/usr/bin/env python3
"""Write docs/performance.md from build/bench.jsonl.

    bench/performance.py build/bench.jsonl "machine" > docs/performance.md
"""
import json
import sys

HEAD = """# How fast

Written by `bench/performance.py` from what `make bench` measured: medians of three runs, peers in the same run, load generator on the same
cores. {machine}. Ratios say more than absolute values: the machine's disk and processors are shared.

| figure | value | compared with | ratio | goal | met |
|---|---|---|---|---|---|"""


def number(v):
    return f"{v:,.0f}" if abs(v) >= 100 else f"{v:.3g}"


def main():
    print(HEAD.format(machine=sys.argv[2]))
    for line in open(sys.argv[1]):
        r = json.loads(line)
        compare = f"{r['compare']['name']}: {number(r['compare']['value'])}" if r["compare"] else ""
        ratio = f"{r['ratio']:.2f}" if r["ratio"] is not None else ""
        print(f"| {r['figure']} | {number(r['value'])} {r['unit']} | {compare} | {ratio} | {r['goal']} | {'yes' if r['met'] else 'no'} |")


if __name__ == "__main__":
    main()
