#!/usr/bin/env python3
"""Draw what a command prints on a terminal as an SVG, for the README.

    tools/terminal_picture.py --columns 110 --out docs/demo.svg -- build/platen demo samples

Runs the command on a real pseudo-terminal, keeps the last screen of it (carriage returns and erased lines honoured), and draws text
with its bold, dim and colours.
"""
import argparse
import html
import os
import pty
import re
import struct
import subprocess
import fcntl
import termios

COLOURS = {"31": "#e06c75", "32": "#7ec07e", "33": "#d9b36c"}
CHAR_W, LINE_H, PAD = 7.85, 18, 16


def capture(command, columns):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, close_fds=True)
    os.close(slave)
    out = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    process.wait()
    return out.decode("utf-8", "replace")


def lines_of(text):
    """Lines as lists of (character, style); a carriage return starts the line again, ESC[K clears its rest."""
    lines, line, at, style = [], [], 0, ""
    for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.|\n", text):
        if token.startswith("\x1b["):
            if token.endswith("m"):
                code = token[2:-1]
                style = "" if code in ("", "0") else code
            elif token.endswith("K"):
                del line[at:]
        elif token == "\n":
            lines.append(line)
            line, at = [], 0
        elif token == "\r":
            at = 0
        else:
            line[at:at + 1] = [(token, style)]
            at += 1
    return lines + ([line] if line else [])


def attributes(style):
    if style == "1":
        return ' font-weight="bold"'
    if style == "2":
        return ' fill="#8b93a1"'
    return f' fill="{COLOURS[style]}"' if style in COLOURS else ""


def draw(command, lines, columns):
    shown = [[(c, "1") for c in "$ " + command]] + lines
    width, height = columns * CHAR_W + 2 * PAD, len(shown) * LINE_H + 2 * PAD
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
           'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="13" fill="#d7dae0">',
           f'<title>{html.escape(command)}</title><rect width="100%" height="100%" rx="8" fill="#1e2127"/>']
    for row, line in enumerate(shown):
        spans, start = "", 0
        while start < len(line):
            end = start
            while end < len(line) and line[end][1] == line[start][1]:
                end += 1
            text = "".join(c for c, _ in line[start:end])
            spans += f'<tspan x="{PAD + start * CHAR_W:.1f}"{attributes(line[start][1])}>{html.escape(text)}</tspan>'
            start = end
        out.append(f'<text y="{PAD + 13 + row * LINE_H}" xml:space="preserve">{spans}</text>')
    return "\n".join(out + ["</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=110)
    parser.add_argument("--out", required=True)
    parser.add_argument("--title", help="the command line to show")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    lines = lines_of(capture(options.command, options.columns))
    with open(options.out, "w") as f:
        f.write(draw(options.title or " ".join(options.command), lines, options.columns))


if __name__ == "__main__":
    main()
