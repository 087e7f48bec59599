#!/usr/bin/env python3
"""Pack the byte-pair ranks of an encoding, so that they travel inside the text engine.

pack_ranks.py OUT.bin IN.tiktoken

IN has a line per token: its bytes in base64, a space, its id. OUT.bin (little-endian) is what vocab.c reads:
    uint32 count; uint32 id[count]; uint8 length[count]; the bytes of all tokens one after another
with the tokens sorted by their bytes, which lets the reader build its tree in one pass.
"""

import base64
import pathlib
import struct
import sys


def main():
    out_bin, source = sys.argv[1:]
    tokens = []
    for line in pathlib.Path(source).read_text().splitlines():
        text, number = line.split()
        tokens.append((base64.b64decode(text), int(number)))
    tokens.sort()
    ids = [number for _, number in tokens]
    if sorted(ids) != list(range(len(ids))):
        sys.exit(f"{source}: the ids are not 0 to {len(ids) - 1}")
    if {bytes([b]) for b in range(256)} - {text for text, _ in tokens}:
        sys.exit(f"{source}: a byte has no token")
    if max(len(text) for text, _ in tokens) > 255:
        sys.exit(f"{source}: a token is longer than 255 bytes")
    with open(out_bin, "wb") as f:
        f.write(struct.pack("<I", len(ids)))
        f.write(struct.pack(f"<{len(ids)}I", *ids))
        f.write(bytes(len(text) for text, _ in tokens))
        f.write(b"".join(text for text, _ in tokens))


if __name__ == "__main__":
    main()
