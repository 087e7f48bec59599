"""Random pipelines run again, from a step on or with other inputs: what is kept and what runs makes no difference to the end.

PLATEN_FLOWS: a tenth of that many.
"""

import copy
import os
import random

import flow_play
import flow_random
import platen

FLOWS = int(os.environ.get("PLATEN_FLOWS") or (400 if platen.SANITIZED else 1500)) // 10
FIRST = int(os.environ.get("PLATEN_SEED") or 1) * 1000000 + 700000


def again(flow, case, body):
    """The flow as a new job like its last one."""
    _, job = flow.line.ask("POST", f"/api/v1/jobs/{flow.id}/replay", body)
    flow.case = case
    flow.take_on(job["id"])
    return flow_play.play(flow)


def test_replays_and_forks_end_as_the_model_says(new_server):
    server = new_server("flow-replay", args=["--log-level", "warn"])
    line, dice = flow_play.Line(server), random.Random(FIRST)
    for seed in range(FIRST, FIRST + FLOWS):
        case = flow_random.make(seed)
        flow = flow_play.Flow(line, case)
        assert not flow_play.play(flow), case
        step = dice.choice(list(case.definition["steps"]))
        found = again(flow, case, {"from": step})
        assert not found, f"seed {seed}, again from {step}: {found}\n{case}"
        fork = copy.copy(case)
        fork.inputs = {**case.inputs, **flow_random.other_inputs(seed)}
        found = again(flow, fork, {"inputs": fork.inputs})
        assert not found, f"seed {seed}, with other inputs: {found}\n{case}\n{fork.inputs}"
