#!/usr/bin/env python3
"""Make a data file a symbol of the program, without a compiler reading it byte by byte.

embed_data.py OUT.S NAME FILE [NAME FILE]...
"""

import pathlib
import sys


def main():
    out, *rest = sys.argv[1:]
    parts = [
        f"""    .global {name}
    .hidden {name}
    .balign 16
{name}:
    .incbin "{pathlib.Path(file).resolve()}"
    .byte 0
"""
        for name, file in zip(rest[::2], rest[1::2])
    ]
    pathlib.Path(out).write_text("    .section .rodata\n" + "".join(parts) + '    .section .note.GNU-stack, "", %progbits\n')


if __name__ == "__main__":
    main()
