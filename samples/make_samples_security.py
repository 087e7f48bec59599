#!/usr/bin/env python3
"""Writes the samples of security.scan and pdf.decrypt; run by hand, the results are committed. Needs qpdf for the protected one.

usage: make_samples_security.py [FOLDER]

They are ours and harmless: a Word document whose macro shows a greeting when it is opened, a PDF whose script does the same, and the
report with a password ("harbour"; the owner's is "harbour master")."""
import os
import struct
import subprocess
import sys
import zipfile

FREE, END, FATSECT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
MACRO = """Attribute VB_Name = "ThisDocument"\r
Attribute VB_Base = "1Normal.ThisDocument"\r
Attribute VB_GlobalNameSpace = False\r
Attribute VB_Creatable = False\r
Attribute VB_PredeclaredId = True\r
Attribute VB_Exposed = True\r
Attribute VB_TemplateDerived = True\r
Attribute VB_Customizable = True\r
Sub AutoOpen()\r
    MsgBox "Welcome to the harbour."\r
End Sub\r
"""


def pack(data):
    """MS-OVBA compression, with literals only."""
    out = b"\x01"
    for at in range(0, len(data), 3500):
        piece = data[at:at + 3500]
        body = b"".join(b"\x00" + piece[i:i + 8] for i in range(0, len(piece), 8))
        out += struct.pack("<H", (len(body) + 2 - 3) | 0xB000) + body
    return out


def record(kind, data=b""):
    return struct.pack("<HI", kind, len(data)) + data


def wide(text):
    return text.encode("utf-16-le")


def directory_stream():
    name = b"ThisDocument"
    return b"".join((
        record(0x01, struct.pack("<I", 3)), record(0x02, struct.pack("<I", 0x409)), record(0x14, struct.pack("<I", 0x409)),
        record(0x03, struct.pack("<H", 1252)), record(0x04, b"Project"), record(0x05), record(0x40), record(0x06), record(0x3D),
        record(0x07, struct.pack("<I", 0)), record(0x08, struct.pack("<I", 0)), struct.pack("<HIIH", 0x09, 4, 1, 1), record(0x0C), record(0x3C),
        record(0x0F, struct.pack("<H", 1)), record(0x13, struct.pack("<H", 0xFFFF)),
        record(0x19, name), record(0x47, wide("ThisDocument")), record(0x1A, name), record(0x32, wide("ThisDocument")), record(0x1C), record(0x48),
        record(0x31, struct.pack("<I", 0)), record(0x1E, struct.pack("<I", 0)), record(0x2C, struct.pack("<H", 0xFFFF)), record(0x22), record(0x2B),
        record(0x10)))


class Compound:
    """A compound file of small streams: all of them lie in the mini stream."""

    def __init__(self):
        self.entries = [["Root Entry", 5, None, b""]]

    def add(self, name, parent, data=None):
        self.entries.append([name, 1 if data is None else 2, parent, data or b""])
        return len(self.entries) - 1

    def bytes(self):
        mini, mini_fat, starts = b"", [], {}
        for i, (_, kind, _, data) in enumerate(self.entries):
            if kind == 2 and data:
                starts[i] = len(mini_fat)
                count = -(-len(data) // 64)
                mini_fat += [starts[i] + n + 1 for n in range(count - 1)] + [END]
                mini += data.ljust(count * 64, b"\0")
        directory = self.directory(starts, len(mini))
        parts = [directory, struct.pack("<%dI" % len(mini_fat), *mini_fat).ljust(-(-len(mini_fat) * 4 // 512) * 512, b"\xff"),
                 mini.ljust(-(-len(mini) // 512) * 512, b"\0")]
        fat, body = [FATSECT], b""
        firsts = []
        for part in parts:
            firsts.append(len(fat))
            count = len(part) // 512
            fat += [len(fat) + n + 1 for n in range(count - 1)] + [END]
            body += part
        head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
        head += struct.pack("<IIIIIIIII", 0, 1, firsts[0], 0, 4096, firsts[1], len(parts[1]) // 512, END, 0)
        head += struct.pack("<109I", 0, *[FREE] * 108)
        directory = bytearray(body[:len(parts[0])])
        struct.pack_into("<I", directory, 116, firsts[2])
        return head + struct.pack("<128I", *fat, *[FREE] * (128 - len(fat))) + bytes(directory) + body[len(parts[0]):]

    def directory(self, starts, mini_size):
        kids = {i: [k for k, e in enumerate(self.entries) if e[2] == i] for i in range(len(self.entries))}
        right = {}
        for children in kids.values():
            children.sort(key=lambda k: (len(self.entries[k][0]), self.entries[k][0].upper()))
            right.update(zip(children, children[1:]))
        out = b""
        for i, (name, kind, _, data) in enumerate(self.entries):
            raw = wide(name) + b"\0\0"
            out += raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw), kind, 1)
            out += struct.pack("<III", FREE, right.get(i, FREE), kids[i][0] if kids[i] else FREE) + bytes(16 + 4 + 16)
            out += struct.pack("<IQ", starts.get(i, END if kind == 2 else 0), mini_size if i == 0 else len(data))
        return out.ljust(-(-len(out) // 512) * 512, b"\0")


def project():
    c = Compound()
    vba = c.add("VBA", 0)
    c.add("dir", vba, pack(directory_stream()))
    c.add("_VBA_PROJECT", vba, struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0))
    c.add("ThisDocument", vba, pack(MACRO.encode("cp1252")))
    c.add("PROJECT", 0, b'ID="{00000000-0000-0000-0000-000000000000}"\r\nDocument=ThisDocument/&H00000000\r\nName="Project"\r\n')
    return c.bytes()


def document(path):
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Type="%s/officeDocument" Target="word/document.xml"/></Relationships>' % rels,
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
            '<w:t>This document greets whoever opens it.</w:t></w:r></w:p></w:body></w:document>',
        "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/>'
            '</Relationships>',
        "word/vbaProject.bin": project(),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items():
            if isinstance(data, str):
                data = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + data
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def script(path):
    objects = ["<</Type/Catalog/Pages 2 0 R/OpenAction 4 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>",
               "<</S/JavaScript/JS(app.alert\\(\"Welcome to the harbour.\"\\);)>>"]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body.encode())
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % p for p in places)
    out += b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    with open(path, "wb") as f:
        f.write(out)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    document(os.path.join(folder, "macro.docm"))
    script(os.path.join(folder, "script.pdf"))
    subprocess.run(["qpdf", "--static-id", "--static-aes-iv", "--encrypt", "harbour", "harbour master", "256", "--",
                    os.path.join(folder, "report.pdf"), os.path.join(folder, "protected.pdf")], check=True)


if __name__ == "__main__":
    main()
