"""platen run: text to standard output, files into folders, one JSON line per input; here and on a server."""

import json
import os
import signal
import subprocess
import time

import pytest

from platen import PLATEN, SAMPLES, SLOW, cli, environment, until

PDF, HTML, PNG = SAMPLES / "report.pdf", SAMPLES / "letter.html", SAMPLES / "picture.png"
FIELDS = ["input", "status", "ms", "data", "outputs", "reason", "detail", "hint"]


def lines(done):
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for line in found:
        assert [f for f in line if f not in ("notes", "inputs")] == FIELDS
        assert line["status"] in ("done", "failed") and isinstance(line["ms"], int) and isinstance(line["data"], dict)
        for output in line["outputs"]:
            assert list(output) == ["name", "type", "bytes", "path"]
            assert os.path.getsize(output["path"]) == output["bytes"]
        failed = line["status"] == "failed"
        assert all(isinstance(line[f], str) and line[f] if failed else line[f] is None for f in ("reason", "detail", "hint")), line
    return found


# --- what goes to standard output ---

def test_text_goes_to_standard_output_and_nothing_else_does():
    done = cli("run", "document.extract", HTML, check=0)
    assert done.stdout.startswith("# A letter about bees\n") and done.stderr == ""


def test_standard_input_is_a_file(tmp_path):
    piped = cli("run", "document.extract", "-", "--format", "text", input=HTML.read_text(), check=0)
    named = cli("run", "document.extract", HTML, "--format", "text", check=0)
    assert piped.stdout == named.stdout
    only = lines(cli("run", "file.detect", "-", "--json", input=PNG.read_bytes(), text=False, check=0))
    assert only[0]["input"] == "stdin" and only[0]["data"]["type"] == "image/png"
    assert cli("run", "file.detect", "-", "--json", input=b"", text=False).returncode in (0, 1)


def test_several_texts_have_headings():
    done = cli("run", "document.extract", HTML, SAMPLES / "words.txt", check=0)
    assert done.stdout.startswith("==> letter.html <==\n") and "\n==> words.txt <==\n" in done.stdout


def test_bytes_go_to_standard_output_when_it_is_no_terminal():
    done = cli("run", "image.convert", PNG, "--format", "jpeg", text=False, check=0)
    assert done.stdout.startswith(b"\xff\xd8\xff") and done.stderr == b""


def test_a_step_with_data_alone_prints_it():
    data = json.loads(cli("run", "text.stats", "--text", "three short words", check=0).stdout)
    assert data["words"] == 3
    data = json.loads(cli("run", "image.info", PNG, check=0).stdout)
    assert data["format"] == "png"


def test_files_of_several_inputs_need_a_place():
    done = cli("run", "image.convert", PNG, SAMPLES / "photo.jpg", check=2)
    assert "-o DIR" in done.stderr and done.stdout == ""


# --- what goes into files ---

def test_into_a_folder_that_is_made(tmp_path):
    out = tmp_path / "deep" / "er"
    done = cli("run", "image.convert", PNG, SAMPLES / "photo.jpg", "--width", "50", "-o", out, check=0)
    assert sorted(p.name for p in out.iterdir()) == ["photo.webp", "picture.webp"]
    assert done.stdout == "" and "2 of 2 done: 2 files" in done.stderr and str(out) in done.stderr


def test_into_a_file(tmp_path):
    out = tmp_path / "small.webp"
    cli("run", "image.convert", PNG, "--width=32", f"--output={out}", check=0)
    assert out.read_bytes()[8:12] == b"WEBP" and list(tmp_path.iterdir()) == [out]
    text = tmp_path / "letter.md"
    cli("run", "document.extract", HTML, "-o", text, check=0)
    assert text.read_text().startswith("# A letter")


def test_several_outputs_do_not_fit_into_a_file(tmp_path):
    done = cli("run", "archive.extract", SAMPLES / "bundle.zip", "-o", tmp_path / "one.bin")
    assert done.returncode in (1, 2) and "-o DIR" in done.stderr


def test_names_that_collide_are_told_apart(tmp_path):
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_text(f"text of {folder}\n")
    out = tmp_path / "out"
    cli("run", "document.extract", *(tmp_path / f / "same.txt" for f in "abc"), "-o", out, check=0)
    got = {p.name: p.read_text().strip() for p in out.iterdir()}
    assert got == {"same.md": "text of a", "same-2.md": "text of b", "same-3.md": "text of c"}


def test_several_outputs_of_several_inputs_get_folders(tmp_path):
    cli("run", "archive.extract", SAMPLES / "bundle.zip", SAMPLES / "backup.tar.gz", "-o", tmp_path, check=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup.tar.gz", "bundle.zip"]
    assert len([p for p in (tmp_path / "bundle.zip").rglob("*") if p.is_file()]) == 5


def test_a_full_folder_of_inputs_keeps_its_order(tmp_path):
    paths = []
    for i in range(80):  # more than are under way at once
        paths.append(tmp_path / f"{i:03}.txt")
        paths[-1].write_text("word " * (i + 1))
    done = lines(cli("run", "file.detect", *paths, "--json", check=0))
    assert [d["input"] for d in done] == [p.name for p in paths]


# --- JSON lines ---

def test_json_lines(tmp_path):
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((SAMPLES / "photo.jpg").read_bytes()[:200])
    done = cli("run", "image.convert", PNG, cut, SAMPLES / "photo.jpg", tmp_path / "missing.png", "--json", "-o", tmp_path / "out", check=1)
    assert done.stderr == ""
    good, bad, also_good, missing = lines(done)
    assert (good["input"], good["status"]) == ("picture.png", "done") and also_good["status"] == "done"
    assert good["outputs"][0]["type"] == "image/webp" and good["data"]["format"] == "webp"
    assert (bad["input"], bad["status"], bad["reason"], bad["outputs"]) == ("cut.jpg", "failed", "input_damaged", [])
    assert (missing["input"], missing["reason"]) == ("missing.png", "not_found") and "key" not in missing["hint"]


def test_json_lines_without_a_place_keep_results_in_a_new_folder(tmp_path):
    done = cli("run", "document.extract", HTML, "--json", env={"TMPDIR": tmp_path}, check=0)
    path = lines(done)[0]["outputs"][0]["path"]
    assert path.startswith(str(tmp_path) + "/platen-out-") and open(path).read().startswith("# A letter")
    assert len(list(tmp_path.iterdir())) == 1  # and the throwaway data are gone


def test_nothing_is_left_behind(tmp_path):
    cli("run", "document.extract", HTML, env={"TMPDIR": tmp_path}, check=0)
    cli("run", "test.fail", "--reason", "no_text", env={"TMPDIR": tmp_path}, check=1)
    cli("run", "test.fail", "--bad", env={"TMPDIR": tmp_path}, check=2)
    assert list(tmp_path.iterdir()) == []


# --- failures ---

def test_a_failed_input_does_not_stop_the_others(tmp_path):
    done = cli("run", "image.convert", PNG, SAMPLES / "words.txt", SAMPLES / "photo.jpg", "-o", tmp_path, check=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photo.webp", "picture.webp"], done.stderr
    assert "platen: words.txt: " in done.stderr and "2 of 3 done" in done.stderr, done.stderr


def test_a_failure_says_what_and_what_now():
    done = cli("run", "test.fail", "--reason", "input_encrypted", "--message", "locked", check=1)
    first, second = done.stderr.splitlines()[:2]
    assert first == "platen: test.fail: input_encrypted: locked" and second.strip() and done.stdout == ""


@pytest.mark.parametrize("words, says", [
    ([], "platen COMMAND"),
    (["rn"], 'Did you mean "run"?'),
    (["run"], "which step?"),
    (["run", "documnt.extract", "x"], "Did you mean document.extract?"),
    (["run", "document.extract"], "needs a file"),
    (["run", "text.stats", "--text", "x", "file.txt"], "takes no file"),
    (["run", "document.extract", "x.pdf", "--fromat", "text"], "Did you mean --format?"),
    (["run", "document.extract", "x.pdf", "--outptu", "o"], "Did you mean --output?"),
    (["run", "document.extract", "x.pdf", "-x"], "there is no option -x"),
    (["run", "document.extract", "x.pdf", "--format"], "--format needs a value"),
    (["run", "document.extract", "x.pdf", "--format", "rtf"], "markdown, text, json"),
    (["run", "image.convert", "x.png", "--width", "0", "--quality", "1000", "--fit", "squeeze"], "--quality"),
    (["run", "image.convert", "x.png", "--width", "0", "--quality", "1000", "--fit", "squeeze"], "--fit"),
    (["run", "text.stats"], "--text"),
    (["steps", "text.stat"], "text.stats"),
    (["jobs", "explode"], "usage: platen jobs"), (["jobs", "list", "--stat", "x"], "Did you mean --state?"),
    (["keys", "create", "--role", "king"], "viewer"),
    (["completion", "tcsh"], "bash"), (["serve", "extra"], "usage"), (["serve", "--tls-cert", "x"], "belong together"),
    (["diagnose"], "usage"), (["backup"], "usage"), (["restore"], "usage"), (["doctor", "extra"], "usage"),
    (["serve", "--threads", "0"], "--threads"),
])
def test_wrong_usage_is_exit_2_and_helps(words, says, tmp_path):
    done = cli(*words, cwd=tmp_path, check=2)
    assert says in done.stderr and done.stdout == "", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_operand_may_look_like_an_option(tmp_path):
    (tmp_path / "--json").write_text("a file with a bad name\n")
    done = cli("run", "document.extract", "--", "--json", cwd=tmp_path, check=0)
    assert done.stdout.strip() == "a file with a bad name"


def test_a_reader_that_leaves_does_not_kill_it():
    process = subprocess.Popen([str(PLATEN), "run", "document.extract", str(HTML), str(PDF)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment())
    process.stdout.close()
    stderr = process.stderr.read()
    assert process.wait(60 * SLOW) == 1 and b"platen:" in stderr, stderr


def test_a_full_disk_behind_the_pipe_is_a_failure():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(PLATEN), "run", "text.stats", "--text", "x"], stdout=full, stderr=subprocess.PIPE,
                              env=environment(), check=False)
    assert done.returncode == 1
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(PLATEN), "run", "document.extract", str(HTML)], stdout=full, stderr=subprocess.PIPE,
                              env=environment(), check=False)
    assert done.returncode == 1 and b"No space" in done.stderr


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_ctrl_c_ends_it_in_order(tmp_path, number, status):
    process = subprocess.Popen([str(PLATEN), "run", "test.sleep", "--ms", "3600000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment(TMPDIR=tmp_path))
    until(lambda: list(tmp_path.glob("platen-*/platen.db")), why="its start")
    time.sleep(0.2)  # into the work; earlier is right, too
    process.send_signal(number)
    out, err = process.communicate(timeout=30 * SLOW)
    assert process.returncode == status and out == b"", err
    assert list(tmp_path.iterdir()) == []


# --- the same on a server ---

@pytest.mark.parametrize("words", [
    ["document.extract", HTML], ["document.extract", PDF, "--format", "text", "--pages", "1"],
    ["document.extract", HTML, SAMPLES / "words.txt", "--format", "json"],
    ["image.convert", PNG, "--width", "40", "--format", "png"], ["image.info", PNG], ["archive.list", SAMPLES / "bundle.zip", "--match", "*.md"],
    ["text.stats", "--text", "a, b & \"c\" ü"], ["archive.list", SAMPLES / "bundle.zip", "--match", "*.md", "--match", "*.csv"],
], ids=lambda w: f"{w[0]} {len(w)}")
def test_a_server_gives_the_same_as_this_process(server, words):
    here = cli("run", *words, text=False, check=0)
    there = cli("run", *words, "--server", server.url, "--key", server.key, text=False, check=0)
    by_environment = cli("run", *words, env={"PLATEN_SERVER": server.url + "/", "PLATEN_KEY": server.key}, text=False, check=0)
    assert here.stdout == there.stdout == by_environment.stdout and here.stderr == there.stderr
    assert here.stdout


def test_folders_and_json_lines_of_a_server(server, tmp_path):
    target = ["--server", server.url, "--key", server.key]
    files = [SAMPLES / "bundle.zip", SAMPLES / "backup.tar.gz"]
    cli("run", "archive.extract", *files, "-o", tmp_path / "here", check=0)
    cli("run", "archive.extract", *files, "-o", tmp_path / "there", *target, check=0)

    def tree(root):
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert tree(tmp_path / "here") == tree(tmp_path / "there") != {}
    here = lines(cli("run", "image.convert", PNG, SAMPLES / "words.txt", "--json", "-o", tmp_path / "a", check=1))
    there = lines(cli("run", "image.convert", PNG, SAMPLES / "words.txt", "--json", "-o", tmp_path / "a", *target, check=1))
    for one, two in zip(here, there, strict=True):
        one.pop("ms"), two.pop("ms")
        assert one == two


def test_failures_of_a_server_are_told(server, tmp_path):
    done = cli("run", "text.stats", "--text", "x", "--server", server.url, "--key", "pk_wrong", check=1)
    assert "key" in done.stderr
    done = cli("run", "text.stats", "--text", "x", "--server", "http://127.0.0.1:1", "--key", "x", check=1)
    assert "127.0.0.1:1" in done.stderr
    done = cli("run", "text.stat", "--text", "x", "--server", server.url, "--key", server.key, check=2)
    assert "text.stats" in done.stderr
    done = cli("run", "document.extract", tmp_path / "missing.pdf", "--server", server.url, "--key", server.key, check=1)
    assert "missing.pdf" in done.stderr


def test_an_empty_variable_names_no_server(tmp_path):
    assert cli("run", "text.stats", "--text", "x", env={"PLATEN_SERVER": ""}, cwd=tmp_path, check=0).stdout


# --- help ---

def test_help_of_a_step_shows_its_options_and_runs():
    text = cli("run", "image.convert", "--help", check=0).stdout
    for want in ("--width", "--format", "webp", "px", "--output", "--json", "1", "16384", "platen run image.convert"):
        assert want in text, want
    assert cli("run", "image.convert", "x.png", "-h", check=0).stdout == text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_help_names_every_parameter_of_every_step():
    steps = json.loads(cli("steps", "--json", check=0).stdout)["steps"]
    for step in steps:
        text = cli("run", step["name"], "--help", check=0).stdout
        for p in step.get("params", []):
            assert f"--{p['name'].replace('_', '-')}" in text, (step["name"], p["name"])
            assert all(c["name"] in text for c in p.get("choices", []))
