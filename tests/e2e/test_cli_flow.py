"""platen flow, as a person uses it: files without a server, names on one, and on a terminal."""

import fcntl
import json
import os
import pty
import re
import secrets
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from platen import PLATEN, SAMPLES, SLOW, cli, environment, until

ESCAPE = re.compile(r"\x1b\[[0-9;]*[a-zA-Z]")

PHOTO = """\
name: photo
title: A picture, smaller
inputs:
  picture: {type: file, required: true, help: The picture.}
  width: {type: int, min: 16, max: 4096, default: 64, help: Width of what comes out.}
steps:
  what: {uses: image.info, with: {file: "${{ inputs.picture }}"}}
  small: {uses: image.convert, needs: [what], with: {file: "${{ inputs.picture }}", width: "${{ inputs.width }}", format: png}}
outputs:
  from: "${{ steps.what.width }}"
  picture: "${{ steps.small.output }}"
"""

REVIEW = """\
name: NAME
inputs:
  title: {type: text, default: draft}
steps:
  first: {uses: test.echo, with: {value: "${{ inputs.title }}"}}
  review: {wait: approval, needs: [first]}
  after: {uses: test.echo, if: "${{ steps.review.approved }}", with: {value: "${{ steps.first.value }}"}}
outputs: {said: "${{ steps.after.value }}"}
"""

FAILING = """\
name: failing
steps:
  text: {uses: test.echo, with: {value: 1, fail: true, reason: no_text}, retry: 1}
  next: {uses: test.echo, needs: [text]}
"""


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "photo.yaml").write_text(PHOTO)
    return tmp_path / "photo.yaml"


@pytest.fixture
def env(server):
    return {"PLATEN_SERVER": server.url, "PLATEN_KEY": server.key}


@pytest.fixture
def review(client, env, tmp_path):
    name = f"r-{secrets.token_hex(4)}"
    path = tmp_path / f"{name}.yaml"
    path.write_text(REVIEW.replace("NAME", name))
    cli("flow", "import", path, env=env, check=0)
    yield name
    client.delete(f"/api/v1/pipelines/{name}")


# --- files, no server ---

def test_check_says_file_line_path_and_what(photo, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(PHOTO.replace("width: {type: int", "width: {type: itn").replace("image.info", "image.inof"))
    done = cli("flow", "check", photo, bad, check=1)
    assert done.stdout == f"{photo}: ok, photo\n"
    lines = done.stderr.splitlines()
    assert any(re.match(rf"{re.escape(str(bad))}:5: inputs\.width\.type: ", line) for line in lines), lines
    assert any(line.startswith(f"{bad}:7: steps.what.uses: ") and "image.info" in line for line in lines), lines
    assert cli("flow", "check", photo, check=0).stderr == ""
    told = json.loads(cli("flow", "check", photo, bad, "--json", check=1).stdout)
    assert [t["ok"] for t in told] == [True, False] and told[1]["errors"][0]["line"] == 5


def test_check_of_what_is_no_yaml(tmp_path):
    (tmp_path / "a.yaml").write_text("name: [\nsteps: }\n")
    done = cli("flow", "check", tmp_path / "a.yaml", check=1)
    assert re.match(rf"{re.escape(str(tmp_path / 'a.yaml'))}:\d+: ", done.stderr), done.stderr
    assert cli("flow", "check", tmp_path / "missing.yaml", check=1).stderr.startswith("platen: could not open")
    assert cli("flow", "check", check=2).stderr
    assert cli("flow", "check", "-", input=PHOTO, check=0).stdout == "-: ok, photo\n"


def test_files_may_call_each_other_in_any_order(tmp_path):
    (tmp_path / "outer.yaml").write_text("name: outer\nsteps:\n  in: {call: inner, with: {word: hello}}\n")
    (tmp_path / "inner.yaml").write_text("name: inner\ninputs: {word: {type: text, required: true}}\n"
                                         "steps:\n  say: {uses: test.echo, with: {value: \"${{ inputs.word }}\"}}\n")
    done = cli("flow", "check", tmp_path / "outer.yaml", tmp_path / "inner.yaml", check=0)
    assert done.stdout.count(": ok, ") == 2
    assert "inner" in cli("flow", "check", tmp_path / "outer.yaml", check=1).stderr


def test_a_file_runs_here_and_its_results_stay(photo, tmp_path):
    out = tmp_path / "out"
    done = cli("flow", "run", photo, SAMPLES / "photo.jpg", "--width", "80", "-o", out, check=0)
    assert [p.suffix for p in out.iterdir()] and all(p.read_bytes().startswith(b"\x89PNG") for p in out.iterdir())
    assert re.search(r"^small  done", done.stderr, re.M) and not ESCAPE.search(done.stderr)
    told = cli("flow", "run", photo, "--picture", SAMPLES / "photo.jpg", "--quiet", check=0)
    assert json.loads(told.stdout)["from"] > 80 and told.stderr == ""
    job = json.loads(cli("flow", "run", photo, SAMPLES / "photo.jpg", "--json", check=0).stdout)
    assert (job["state"], job["pipeline"], job["params"]["width"]) == ("done", "photo", 64)


def test_inputs_are_options(photo, tmp_path):
    text = cli("flow", "run", photo, "--help", check=0).stdout
    assert "--picture  text FILE, required" in text and "--width  whole number 16 to 4096, default 64" in text
    done = cli("flow", "run", photo, "--width", "3", check=2)
    assert "--width must be 16 to 4096" in done.stderr and "--picture is required" in done.stderr
    assert "Did you mean --width" in cli("flow", "run", photo, "--widht", "30", check=2).stderr
    assert "could not open" in cli("flow", "run", photo, tmp_path / "missing.jpg", check=1).stderr
    assert "flow run NAME|FILE" in cli("flow", "run", check=2).stderr
    assert "--follow" in cli("flow", "run", "--help", check=0).stdout


def test_a_failure_ends_with_reason_and_remedy(tmp_path):
    (tmp_path / "f.yaml").write_text(FAILING)
    done = cli("flow", "run", tmp_path / "f.yaml", check=1)
    assert "text  failed" in done.stderr and "next  omitted  not run" in done.stderr
    assert "platen: no_text: " in done.stderr and len(done.stderr.strip().splitlines()) >= 3


def test_nobody_can_approve_without_a_server(tmp_path):
    (tmp_path / "r.yaml").write_text(REVIEW.replace("NAME", "alone"))
    done = cli("flow", "run", tmp_path / "r.yaml", check=1)
    assert "review  waiting" in done.stderr and "step review waits for its approval" in done.stderr
    (tmp_path / "r.yaml").write_text(REVIEW.replace("NAME", "alone").replace(
        "wait: approval,", "wait: approval, timeout: 300ms, on-timeout: continue,"))
    assert json.loads(cli("flow", "run", tmp_path / "r.yaml", "-q", check=0).stdout) == {"said": None}


def test_graph_of_a_file(photo):
    assert cli("flow", "graph", photo, check=0).stdout == ("photo  A picture, smaller\n└─ what  image.info\n"
                                                          "   └─ small  image.convert\n")
    assert cli("flow", "graph", photo, "--format", "mermaid", check=0).stdout.startswith("flowchart TD\n")


def test_help_of_every_verb():
    text = cli("flow", "--help", check=0).stdout
    verbs = re.findall(r"^  flow (\w+)", text, re.M)
    assert set(verbs) == {"check", "run", "batch", "list", "show", "diff", "graph", "import", "export", "delete", "approve",
                          "signal", "pause", "resume", "replay"}
    for verb in verbs:
        assert cli("flow", verb, "--help", check=0).stdout.startswith(f"Usage: platen flow {verb}")
    assert "Did you mean \"flow check\"" in cli("flow", "chekc", check=2).stderr


def test_completion_knows_the_verbs(tmp_path):
    for shell in ("bash", "zsh", "fish"):
        assert "approve" in cli("completion", shell, check=0).stdout
    script = tmp_path / "c.bash"
    script.write_text(cli("completion", "bash", check=0).stdout)

    def complete(*words):
        line = f"source {script}; COMP_WORDS=({' '.join(words)} ''); COMP_CWORD={len(words)}; _platen; echo ${{COMPREPLY[@]}}"
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.split()
    assert {"check", "run", "replay"} <= set(complete("platen", "flow"))
    assert complete("platen", "flow", "graph", "x", "--format") == ["text", "mermaid", "dot"]


# --- names, on a server ---

def test_store_show_compare_export_delete(client, env, review, tmp_path):
    path = tmp_path / f"{review}.yaml"
    assert cli("flow", "import", path, env=env, check=0).stdout == f"{review}  version 1\n"
    path.write_text(path.read_text().replace("draft", "final"))
    assert cli("flow", "import", path, env=env, check=0).stdout == f"{review}  version 2\n"
    assert re.search(rf"^{review}\s+2\s", cli("flow", "list", env=env, check=0).stdout, re.M)
    shown = cli("flow", "show", review, env=env, check=0).stdout
    assert "version    2 of 2" in shown and "review  wait approval" in shown and "title" in shown
    assert "draft" in cli("flow", "show", review, "--version", "1", "--source", env=env, check=0).stdout
    lines = cli("flow", "diff", review, env=env, check=0).stdout.splitlines()
    assert [x[0] for x in lines if x[0] in "+-" and x[:3] not in ("+++", "---")] == ["-", "+"]
    assert "are equal" in cli("flow", "diff", review, "2", "2", env=env, check=0).stderr
    assert cli("flow", "export", review, "-o", tmp_path / "back.yaml", env=env, check=0).returncode == 0
    assert (tmp_path / "back.yaml").read_text() == path.read_text()
    assert cli("flow", "diff", review, "x", env=env, check=2).stderr
    assert "deleted" in cli("flow", "delete", review, env=env, check=0).stdout
    gone = cli("flow", "show", review, env=env, check=1)
    assert "platen flow list" in gone.stderr


def waiting(client, job):
    return until(lambda: client.job(job).get("waits"), why="it waits")


def test_a_job_that_waits_is_approved(client, env, review):
    job = cli("flow", "run", review, "--title", "news", env=env, check=0).stdout.strip()
    assert job.startswith("job_")
    waiting(client, job)
    shown = cli("jobs", "show", job, env=env, check=0).stdout
    assert f"pipeline   {review}" in shown and "◌ review" in shown and "waits for approval by a reviewer" in shown
    assert cli("flow", "pause", job, env=env, check=0).stdout == f"paused {job}\n"
    assert cli("flow", "resume", job, env=env, check=0).stdout == f"goes on: {job}\n"
    assert cli("flow", "approve", job, "review", "--comment", "Good.", env=env, check=0).stdout == "approved review\n"
    assert client.wait(job)["data"] == {"said": "news"}
    assert "conflict" not in cli("flow", "approve", job, "review", env=env, check=1).stdout
    assert review in cli("jobs", "list", "--pipeline", review, env=env, check=0).stdout
    again = cli("flow", "replay", job, "--title", "olds", env=env, check=0).stdout.strip()
    waiting(client, again)
    assert client.job(again)["params"]["title"] == "olds"
    assert cli("flow", "approve", again, "review", "--reject", env=env, check=0).stdout == "rejected review\n"
    client.wait(again)
    signal_job = cli("flow", "signal", again, "x", env=env, check=1)
    assert "platen: " in signal_job.stderr


def test_diagnose_goes_down_to_the_step(client, env, tmp_path):
    (tmp_path / "f.yaml").write_text(FAILING.replace("name: failing", f"name: f-{secrets.token_hex(4)}"))
    done = cli("flow", "run", tmp_path / "f.yaml", "--follow", env=env, check=1)
    job = re.search(r"job_\w+", done.stderr).group()
    text = cli("diagnose", job, env=env, check=0).stdout
    assert "step text failed first" in text and text.count("verdict") == 2 and "test.echo" in text


# --- a terminal ---

class Terminal:
    def __init__(self, *words, env=None, columns=100):
        self.main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.process = subprocess.Popen([str(PLATEN), *map(str, words)], stdin=other, stdout=other, stderr=other,
                                        env=environment(TERM="xterm-256color", **(env or {})), start_new_session=True)
        os.close(other)
        self.got = b""

    def read(self, until_text=None, seconds=30):
        deadline = time.monotonic() + seconds * SLOW
        while time.monotonic() < deadline and (until_text is None or until_text not in self.text()):
            if select.select([self.main], [], [], 0.1)[0]:
                try:
                    piece = os.read(self.main, 65536)
                except OSError:  # the last one has closed it
                    break
                if not piece:
                    break
                self.got += piece
        if until_text is not None:
            assert until_text in self.text(), self.text()[-3000:]
        return self.text()

    def text(self):
        return self.got.decode(errors="replace").replace("\r\n", "\n")

    def end(self):
        status = self.process.wait(20 * SLOW)
        os.close(self.main)
        return status


def screen(text):
    """What is left on a terminal: lines that were drawn again stand once."""
    lines = [""]
    for part in re.split(r"(\x1b\[\d+A\r\x1b\[J|\n)", text):
        if part == "\n":
            lines.append("")
        elif part.endswith("\x1b[J"):
            up = int(re.match(r"\x1b\[(\d+)A", part).group(1))
            lines = [*lines[:len(lines) - 1 - up], ""]
        else:
            lines[-1] += ESCAPE.sub("", part)
    return lines


def test_the_tree_is_drawn_in_its_place(photo):
    t = Terminal("flow", "run", photo, SAMPLES / "photo.jpg")
    text = t.read()
    assert t.end() == 0
    left = [line for line in screen(text) if line]
    assert re.match(r"└─ ✓ what   +image\.info +\d+ ms|└─ ✓ what", left[0]), left
    assert re.match(r"   └─ ✓ small", left[1]), left
    assert "\x1b[32m✓" in text and sum("✓ small" in line for line in left) == 1


def test_following_a_wait_and_leaving_it(client, env, review):
    t = Terminal("flow", "run", review, "--follow", env=env)
    t.read("waits for approval by a reviewer")
    job = re.search(r"job_\w+", t.text()).group()
    os.kill(t.process.pid, signal.SIGINT)
    text = t.read()
    assert t.end() == 130 and f"{job} goes on." in text and f"platen jobs cancel {job}" in text
    assert client.job(job)["state"] == "running"
    assert client.post(f"/api/v1/jobs/{job}/cancel").status == 200


def test_no_line_is_wider_than_the_terminal(photo):
    t = Terminal("flow", "run", photo, SAMPLES / "photo.jpg", columns=40)
    lines = screen(t.read())
    assert t.end() == 0 and all(len(line) <= 40 for line in lines if "─" in line), lines
