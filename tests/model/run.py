#!/usr/bin/env python3
"""Checks the models with spin: every property holds, and each broken rule (-D) is found. README.md says what they are.

usage: run.py [--quick] [MODEL …]

--quick leaves out the search for endless runs with full bounds; it takes seconds."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 900

# What spin must say of the model with this rule broken: "assert": a property of a state, "stuck": a job never ends because
# nothing can happen any more, "endless": it never ends although something always happens.
BROKEN = {
    "task": {
        "NO_ATTEMPT_CHECK": ("assert", "a result is taken from whoever comes, whichever attempt he holds"),
        "NO_STATE_CHECK": ("assert", "a result is taken although the task was lost, delayed or gone"),
        "ATTEMPTS_FROM_0": ("assert", "a job that runs again counts its attempts from the beginning"),
        "CANCEL_AGAIN": ("assert", "cancelling an ended job counts its batch down once more"),
        "EARLY_END": ("assert", "the batch ends with its last but one item"),
        "NO_KEEPER": ("stuck", "nobody looks for leases that have run out"),
        "SLOT_KEPT": ("stuck", "a job that ends keeps its slot of the concurrency key"),
        "SPLIT_END": ("stuck", "the batch is told of its item's end in a transaction of its own"),
        "NO_LIMIT": ("endless", "a task that kills its worker is tried for ever"),
    },
    "pipeline": {
        "NO_NEEDS": ("assert", "a node begins before what it needs"),
        "EARLY_END": ("stuck", "finally begins, and the job ends, as soon as a step has failed"),
        "END_TWICE": ("assert", "cancelling an ended job ends it once more"),
        "RETRY_KEEPS_COUNT": ("assert", "a child that runs again is counted as ended already"),
        "SPLIT_END": ("assert", "the pipeline is told of its child's end in a transaction of its own"),
        "PAUSE_FORGETS": ("stuck", "resuming does not look at what ended meanwhile"),
        "CANCEL_LEAVES_RUNNING": ("stuck", "cancelling leaves a node that was paused between two items"),
    },
}


def sh(*words, cwd):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.stdout + done.stderr


def verdict(said):
    if "errors: 0" in said and "out of memory" not in said and "max search depth too small" not in said:
        return "holds"
    if "pan:1: assertion violated" in said:
        return "assert"
    if "pan:1: invalid end state" in said:
        return "stuck"
    if "pan:1: acceptance cycle" in said:
        return "endless"
    return "unclear: " + said[-600:]


def search(model, endless, *defines):
    """Build the checker for a model and let it look at every state; endless: for fair runs in which a job never ends (-A: those alone)."""
    with tempfile.TemporaryDirectory() as folder:
        macros = ["-D" + d for d in defines]
        said = sh("spin", *macros, "-a", str(HERE / f"{model}.pml"), cwd=folder)
        if not os.path.exists(os.path.join(folder, "pan.c")):
            return "unclear: " + said, 0, 0.0
        options = ["-O2", "-DNFAIR=3"] if endless else ["-O0", "-DSAFETY", "-DNOCLAIM"]
        said = sh("cc", "-w", "-DVECTORSZ=2048", *options, "-o", "pan", "pan.c", cwd=folder)
        began = time.monotonic()
        said += sh("./pan", "-m2000000", *(["-A", "-a", "-f"] if endless else []), cwd=folder)
        states = re.search(r"([\d.e+]+) states, stored", said)
        return verdict(said), int(float(states[1])) if states else 0, time.monotonic() - began


def jobs(models, quick):
    for model in models:
        yield "holds", model, False, (), "every state"
        if not quick:
            yield "holds", model, True, (), "every fair run"
        for macro, (kind, what) in BROKEN[model].items():
            bound = ("ATTEMPTS=1",) if kind == "endless" else ()
            yield kind, model, kind == "endless", (macro, *bound), what


def main():
    words = sys.argv[1:]
    quick = "--quick" in words
    models = [w for w in words if w != "--quick"] or list(BROKEN)
    if shutil.which("spin") is None:
        sys.exit("spin is not installed: make deps-test")
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asked = [(job, pool.submit(search, job[1], job[2], *job[3])) for job in jobs(models, quick)]
        for (want, model, _, defines, what), answer in asked:
            got, states, seconds = answer.result()
            ok = got == want
            wrong += not ok
            name = f"{model} {defines[0]}" if defines else model
            print(f"{'ok   ' if ok else 'WRONG'} {name:32} {want if ok else got:8} {states:9} states {seconds:6.1f} s  {what}", flush=True)
    print("all as it should be" if wrong == 0 else f"{wrong} not as they should be")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
