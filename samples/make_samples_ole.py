#!/usr/bin/env python3
"""Writes the samples that are compound files: mail.msg (an Outlook message with an attached table and an attached message) and
locked.docx (report.docx behind the password "harbour"). Run by hand, the results are committed.

report.doc is report.docx as LibreOffice writes it: soffice --headless --convert-to doc report.docx

usage: make_samples_ole.py [FOLDER]

Needs the openssl command for AES. Salts and keys are made from fixed words, so the files are the same every time."""
import base64
import hashlib
import os
import struct
import subprocess
import sys

SECTOR, MINI = 512, 64
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


class Storage(dict):
    """A folder of a compound file: names to bytes or to further storages."""
    def __init__(self, *args, clsid=bytes(16), **kw):
        super().__init__(*args, **kw)
        self.clsid = clsid


def compound(root):
    """[MS-CFB], version 3: a header, a table of sectors, a directory, a stream of small streams."""
    entries, small, large = [], bytearray(), []

    def add(name, item):
        index = len(entries)
        kind = 5 if index == 0 else 1 if isinstance(item, dict) else 2
        entries.append({"name": name, "kind": kind, "right": FREE, "child": FREE, "start": END, "size": 0,
                        "clsid": getattr(item, "clsid", bytes(16))})
        if isinstance(item, dict):
            before = None
            for key in sorted(item, key=lambda k: (len(k), k.upper())):  # a tree that is a list: each has a right neighbour only
                child = add(key, item[key])
                if before is None:
                    entries[index]["child"] = child
                else:
                    entries[before]["right"] = child
                before = child
        elif len(item) < 4096:
            entries[index].update(start=len(small) // MINI if item else END, size=len(item))
            small.extend(item + bytes(-len(item) % MINI))
        else:
            entries[index]["size"] = len(item)
            large.append((index, item))
        return index

    add("Root Entry", root)
    body, table = bytearray(), []

    def put(data):
        first, count = len(table), max(1, -(-len(data) // SECTOR))
        body.extend(data + bytes(count * SECTOR - len(data)))
        table.extend([first + i + 1 for i in range(count - 1)] + [END])
        return first

    for index, item in large:
        entries[index]["start"] = put(item)
    mini_table = b""
    if small:
        entries[0].update(start=put(bytes(small)), size=len(small))
        chains = []
        for e in entries[1:]:
            if e["kind"] == 2 and 0 < e["size"] < 4096:
                count = -(-e["size"] // MINI)
                chains += [e["start"] + i + 1 for i in range(count - 1)] + [END]
        mini_table = struct.pack(f"<{len(chains)}I", *chains)
        mini_table += struct.pack("<I", FREE) * (-len(chains) % (SECTOR // 4))
    mini_at = put(mini_table) if mini_table else END
    rows = b""
    for e in entries:
        name = e["name"].encode("utf-16-le") + bytes(2)
        rows += name.ljust(64, b"\0") + struct.pack("<HBBIII", len(name), e["kind"], 1, FREE, e["right"], e["child"])
        rows += e["clsid"] + bytes(20) + struct.pack("<IQ", e["start"], e["size"])
    directory_at = put(rows)
    tables = 1
    while (len(table) + tables) > tables * SECTOR // 4:
        tables += 1
    table_at = [len(table) + i for i in range(tables)]
    table += [FAT] * tables
    fat = struct.pack(f"<{len(table)}I", *table)
    body.extend(fat + struct.pack("<I", FREE) * ((tables * SECTOR - len(fat)) // 4))
    header = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, tables, directory_at, 0, 4096, mini_at, len(mini_table) // SECTOR, END, 0)
    header += struct.pack(f"<{tables}I", *table_at) + struct.pack("<I", FREE) * (109 - tables)
    return header + bytes(body)


# --- a message: properties by id

TEXT, BINARY, INT, TIME, OBJECT = 0x1F, 0x102, 3, 0x40, 0xD


def properties(header, values, **more):
    storage, rows = Storage(**more), b""
    for (number, kind), value in values.items():
        if kind == INT:
            rows += struct.pack("<HHIq", kind, number, 6, value)
        elif kind == TIME:
            rows += struct.pack("<HHIQ", kind, number, 6, 116444736000000000 + value * 10000000)
        else:
            name = f"__substg1.0_{number:04X}{kind:04X}"
            storage[name] = value.encode("utf-16-le") if kind == TEXT else value
            size = 4 if kind == OBJECT else len(storage[name]) + (2 if kind == TEXT else 0)
            rows += struct.pack("<HHIII", kind, number, 6, size, 0)
    storage["__properties_version1.0"] = bytes(header) + rows
    return storage


def message(subject, sender, to, when, body, header, attachments=()):
    storage = properties(header, {
        (0x001A, TEXT): "IPM.Note", (0x0037, TEXT): subject, (0x0042, TEXT): sender[0], (0x5D02, TEXT): sender[1],
        (0x0039, TIME): when, (0x1000, TEXT): body, (0x3FFD, INT): 1252}, clsid=bytes.fromhex("0B0D020000000000C000000000000046"))
    for i, (name, address) in enumerate(to):
        storage[f"__recip_version1.0_#{i:08X}"] = properties(
            8, {(0x3001, TEXT): name, (0x39FE, TEXT): address, (0x0C15, INT): 1})
    for i, values in enumerate(attachments):
        storage[f"__attach_version1.0_#{i:08X}"] = properties(8, values)
    return storage


def mail():
    table = b"Boat,Berth\r\nAurora,12\r\nKestrel,14\r\nSeverin,15\r\nTernen,16\r\n"
    inner = message("Re: berths", ("Ida Holm", "ida@example.org"), [("Per Lund", "per@example.org")], 1779008400,
                    "Berth 14 is free from Friday.\r\n", 24)
    return compound(message(
        "Berths for the summer", ("Per Lund", "per@example.org"), [("Ida Holm", "ida@example.org")], 1779094800,
        "Dear Ida,\r\n\r\nthe table of berths is attached, and your note from Sunday.\r\n\r\nPer\r\n", 32,
        [{(0x3705, INT): 1, (0x3707, TEXT): "berths.csv", (0x370E, TEXT): "text/csv", (0x3701, BINARY): table},
         {(0x3705, INT): 5, (0x3001, TEXT): "Re: berths", (0x3701, OBJECT): inner}]))


# --- a document behind a password: [MS-OFFCRYPTO], agile

def aes(key, iv, data):
    return subprocess.run(["openssl", "enc", f"-aes-{len(key) * 8}-cbc", "-nopad", "-K", key.hex(), "-iv", iv.hex()], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def h(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def word(text, size):
    return hashlib.sha512(text.encode()).digest()[:size]


def locked(package, password, spins=1000):
    salt, data_salt, key, verifier = word("salt", 16), word("data salt", 16), word("key", 32), word("verifier", 16)
    n = h(salt, password.encode("utf-16-le"))
    for i in range(spins):
        n = h(struct.pack("<I", i), n)

    def lock(block, value):
        return base64.b64encode(aes(h(n, bytes.fromhex(block))[:32], salt, value)).decode()

    sealed = b""
    for i in range(0, len(package), 4096):
        part = package[i:i + 4096]
        sealed += aes(key, h(data_salt, struct.pack("<I", i // 4096))[:16], part + bytes(-len(part) % 16))
    common = 'saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" ' \
             'hashAlgorithm="SHA512"'
    info = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" \
xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><keyData {common} \
saltValue="{base64.b64encode(data_salt).decode()}"/><keyEncryptors>\
<keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><p:encryptedKey spinCount="{spins}" {common} \
saltValue="{base64.b64encode(salt).decode()}" encryptedVerifierHashInput="{lock('fea7d2763b4b9e79', verifier)}" \
encryptedVerifierHashValue="{lock('d7aa0f6d3061344e', h(verifier))}" encryptedKeyValue="{lock('146e0be7abacd0d6', key)}"/>\
</keyEncryptor></keyEncryptors></encryption>"""
    return compound(Storage({"EncryptionInfo": struct.pack("<HHI", 4, 4, 0x40) + info.encode(),
                             "EncryptedPackage": struct.pack("<Q", len(package)) + sealed}))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "report.docx"), "rb") as f:
        report = f.read()
    for name, data in (("mail.msg", mail()), ("locked.docx", locked(report, "harbour"))):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


main()
