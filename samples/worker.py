#!/usr/bin/env python3
"""A worker for a platen queue, in any language: lease, work, answer. Usage: worker.py URL KEY QUEUE

It turns {"text": "…"} into {"words": n}. Run as many as you like, on as many machines as you like."""
import json
import sys
import urllib.error
import urllib.request

URL, KEY, QUEUE = sys.argv[1:4]


def post(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {
        "Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def work(payload):
    return {"words": len(payload["text"].split())}


while True:
    for task in post(f"/api/v1/queues/{QUEUE}/lease", {"wait": 30, "lease_seconds": 60, "worker": "sample"})["tasks"]:
        answer, what = {"attempt": task["attempt"]}, "complete"
        try:
            answer["data"] = work(task["payload"])
        except (KeyError, TypeError, AttributeError) as e:  # it will not get better: to the dead letters
            answer, what = {**answer, "detail": f"not a text: {e!r}", "retry": False}, "fail"
        try:
            post(f"/api/v1/tasks/{task['id']}/{what}", answer)
        except urllib.error.HTTPError as e:  # 409: the lease ran out, somebody else has the task
            print("dropped", task["id"], e.code, file=sys.stderr)
