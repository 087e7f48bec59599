"""Figures of the web app: what a browser fetches and how fast it draws. Measured by web/tests/e2e/figures.ts in Debian's Chromium.

Drawing is done by the processor (no graphics card), so frames share it with the server and whatever else runs: an empty page that
only counts frames is measured in the same run, as what the machine can draw at all.
"""

import json
import os
import subprocess
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "web"
JOBS = int(os.environ.get("PLATEN_BENCH_JOBS", "100000"))


def measure(build):
    command = [WEB / "node_modules/.bin/vite-node", "--config", "vitest.e2e.config.ts", "tests/e2e/figures.ts", str(JOBS)]
    done = subprocess.run(command, cwd=WEB, env={**os.environ, "PLATEN_BUILD": str(build)}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def bench_web(build, report):
    f = measure(build)
    shell = f["shell"]["bytes"] / 1000
    report.add(f"web: first load, {f['shell']['files']} files", shell, "kB", "<= 120 kB", shell <= 120)
    slow, fast = f["interactive"]["palette"], f["interactive_fast"]["palette"]
    report.add("web: interactive, 4x slower processor", slow, "ms", "<= 1000 ms", slow <= 1000,
               {"name": "at full speed", "value": fast}, slow / fast)
    still = f["empty"]["fps"]
    for name, part in ((f"scrolling {f['list']['rows']:,} jobs", f["list"]), (f"job page, {f['events']['per_second']:.0f} events/s", f["events"])):
        report.add(f"web: {name}", part["fps"], "fps", "60 fps", part["fps"] >= 59, {"name": "empty page", "value": still}, part["fps"] / still)
        report.add(f"web: {name}, late frames", part["late"], "frames", f"0 of {part['frames']}", part["late"] == 0)
