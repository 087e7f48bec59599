"""On a terminal there is a progress bar and colour; in a pipe there is neither."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from platen import PLATEN, SAMPLES, SLOW, cli, environment

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ESCAPE = "\x1b"


def on_terminal(*words, env=None, columns=80, stdout=None, seconds=60):
    """Run platen with a terminal for its input and output; returns (status, what appeared on it)."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(PLATEN), *map(str, words)], stdin=other, stdout=stdout or other, stderr=other,
                               env=environment(**{"TERM": "xterm-256color", **(env or {})}), start_new_session=True)
    os.close(other)
    got, deadline = b"", time.monotonic() + seconds * SLOW
    try:
        while time.monotonic() < deadline:
            if select.select([main], [], [], 0.1)[0]:
                try:
                    piece = os.read(main, 65536)
                except OSError:  # the last one has closed it
                    break
                if not piece:
                    break
                got += piece
        status = process.wait(10)
    finally:
        if process.poll() is None:
            process.kill()
        os.close(main)
    return status, got.decode().replace("\r\n", "\n")


@pytest.fixture
def files(tmp_path):
    made = []
    for i in range(12):
        made.append(tmp_path / f"file-{i}.txt")
        made[-1].write_text(f"text number {i}\n")
    return made


def test_a_bar_is_drawn_and_gone_afterwards(files, tmp_path):
    status, text = on_terminal("run", "document.extract", *files, "-o", tmp_path / "out")
    assert status == 0
    assert "━" in text or "┄" in text
    assert "file-" in text and "\r\x1b[K" in text
    left = re.split(r"\r\x1b\[K", text)[-1]
    assert left.startswith("12 of 12 done") and "━" not in left


def test_the_bar_fits_the_terminal(files, tmp_path):
    for columns in (40, 80, 200):
        _, text = on_terminal("run", "document.extract", *files, "-o", tmp_path / f"out{columns}", columns=columns)
        drawn = [p for p in re.split(r"\r\x1b\[K", text) if "━" in p or "┄" in p]
        assert drawn and all(len(line) <= max(columns, 50) for line in drawn)


def test_quiet_draws_nothing(files, tmp_path):
    for flag in ("--quiet", "-q"):
        status, text = on_terminal("run", "document.extract", *files, "-o", tmp_path / "out", flag)
        assert status == 0 and text == ""


def test_json_draws_nothing(files):
    status, text = on_terminal("run", "file.detect", *files, "--json")
    assert status == 0 and ESCAPE not in text and len(text.splitlines()) == 12


def test_no_escape_goes_into_a_pipe(files, tmp_path):
    for words in (["run", "document.extract", *files], ["run", "document.extract", *files, "-o", tmp_path / "o"], ["--help"], ["steps"],
                  ["run", "image.convert", "--help"], ["doctor", "--data", tmp_path / "none"], ["demo", SAMPLES], ["run", "test.fail", "--reason", "no_text"],
                  ["rnu"], ["steps", "image.convert"]):
        done = cli(*words, env={"TERM": "xterm-256color", "TMPDIR": tmp_path})
        assert ESCAPE not in done.stdout + done.stderr and "━" not in done.stdout + done.stderr, words


def test_the_bar_goes_to_the_terminal_while_text_goes_into_the_file(files, tmp_path):
    with open(tmp_path / "text", "wb") as out:
        status, text = on_terminal("run", "document.extract", *files, stdout=out)
    assert status == 0 and ("━" in text or "┄" in text)
    assert ESCAPE not in (tmp_path / "text").read_text() and "text number 11" in (tmp_path / "text").read_text()


@pytest.mark.parametrize("words", [["--help"], ["steps"], ["doctor", "--data", "none"], ["run", "image.convert", "--help"]])
def test_colour_is_for_terminals_that_want_it(words, tmp_path):
    _, coloured = on_terminal(*words)
    assert COLOUR.search(coloured)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        _, plain = on_terminal(*words, env=env)
        assert not COLOUR.search(plain), env
        assert COLOUR.sub("", coloured) == plain
    _, empty = on_terminal(*words, env={"NO_COLOR": ""})  # empty counts as not set
    assert COLOUR.search(empty)


def test_a_dumb_terminal_gets_no_bar(files, tmp_path):
    status, text = on_terminal("run", "document.extract", *files, "-o", tmp_path / "out", env={"TERM": "dumb"})
    assert status == 0 and ESCAPE not in text


def test_help_is_as_wide_as_the_terminal():
    for columns in (80, 120):
        _, text = on_terminal("run", "image.convert", "--help", env={"NO_COLOR": "1"}, columns=columns)
        assert max(len(line) for line in text.splitlines() if "platen run" not in line and "http" not in line) <= columns


def test_bytes_do_not_go_to_a_terminal():
    status, text = on_terminal("run", "image.convert", SAMPLES / "picture.png")
    assert status == 2 and "-o DIR" in text


def test_errors_are_red_on_a_terminal_and_whole():
    status, text = on_terminal("run", "test.fail", "--reason", "no_text")
    assert status == 1 and COLOUR.search(text) and "no_text" in COLOUR.sub("", text)
