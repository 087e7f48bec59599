"""Files nobody should send, made from nothing but the standard library."""

import io
import struct
import tarfile
import zipfile
import zlib

from platen import SAMPLES

MIB, GIB = 1 << 20, 1 << 30


def deflated(size, prefix=b"", suffix=b"", fill=b"a"):
    """A raw deflate stream of `prefix`, `size` bytes of `fill` and `suffix`, made without writing `size` bytes."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    out = pack.compress(prefix) + pack.flush(zlib.Z_FULL_FLUSH)
    piece = pack.compress(fill * MIB) + pack.flush(zlib.Z_FULL_FLUSH)
    return out + piece * (size // MIB) + pack.compress(suffix) + pack.flush()


def zip_of(members):
    """A ZIP of {name: bytes}, or of (stream, unpacked size) for a ready deflate stream, whose checksum is then wrong."""
    out, central = b"", b""
    for name, body in members.items():
        raw, name = isinstance(body, tuple), name.encode()
        packed, size = body if raw else (body, len(body))
        crc, method = (0, 8) if raw else (zlib.crc32(body), 0)
        extra = struct.pack("<HHQQ", 1, 16, size, len(packed))
        common = struct.pack("<HHHHHIIIHH", 45, 0, method, 0, 33, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
        central += (b"PK\1\2" + struct.pack("<H", 45) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name + extra)
        out += b"PK\3\4" + common + name + extra + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(central), len(out), 0)
    return out + central + b"PK\5\6" + end


def zip_bomb():
    """10 MB that become 10 GB."""
    return zip_of({"zeros.bin": (deflated(10 * GIB), 10 * GIB)})


def nested(body, depth, name="inner.zip"):
    for _ in range(depth):
        body = zip_of({name: body})
    return body


def wide_bomb():
    """Ten archives of ten archives of 1 GB each: 100 GB in 10 MB."""
    one = zip_of({"zeros.bin": (deflated(GIB), GIB)})
    ten = zip_of({f"{i}.zip": one for i in range(10)})
    with io.BytesIO() as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for i in range(10):
                z.writestr(f"{i}.zip", ten)
        return out.getvalue()


def overlapping_bomb(entries=3000):
    """Every entry of the directory names the same 100 MB of local data."""
    packed, size = deflated(100 * MIB), 100 * MIB
    local = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(packed), size, 1, 0) + b"f" + packed
    central = b"".join(b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 33, 0, len(packed), size, 5, 0, 0, 0, 0, 0, 0)
                       + b"%05d" % i for i in range(entries))
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, entries, entries, len(central), len(local), 0)


# --- documents ---

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
CONTENT_TYPES = b"""<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>"""
RELATIONS = b"""<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>
</Relationships>"""
LAUGHS = ('<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghij", "bcdefghijk", strict=True)) + "]>")


def docx(document):
    return zip_of({"[Content_Types].xml": CONTENT_TYPES, "_rels/.rels": RELATIONS, "word/document.xml": document})


def docx_text(text, doctype=""):
    return docx(f'<?xml version="1.0"?>{doctype}<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p>'
                "</w:body></w:document>".encode())


def docx_bomb():
    head = f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>'.encode()
    return docx((deflated(10 * GIB, head, b"</w:t></w:r></w:p></w:body></w:document>"), 10 * GIB))


def docx_deep(depth=200000):
    nest = "<w:tbl><w:tr><w:tc>"
    return docx((f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body>' + nest * depth).encode())


def odt(content):
    return zip_of({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content})


def odt_laughs():
    office, text = (f"urn:oasis:names:tc:opendocument:xmlns:{n}:1.0" for n in ("office", "text"))
    return odt(f'<?xml version="1.0"?>{LAUGHS}<office:document-content xmlns:office="{office}" xmlns:text="{text}">'
               "<office:body><office:text><text:p>&k;</text:p></office:text></office:body></office:document-content>".encode())


def encrypted_zip():
    """The traditional encryption's flag, and bytes that are nobody's text."""
    name, body = b"secret.txt", bytes(range(40))
    common = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0, 33, 0x12345678, len(body), 28, len(name), 0)
    local = b"PK\3\4" + common + name + body
    central = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def encrypted_office():
    """What Word writes for a document with a password: a compound file with EncryptionInfo and EncryptedPackage."""
    sector, free, end = 512, 0xFFFFFFFF, 0xFFFFFFFE

    def entry(name, kind, start, size, child=free, right=free):
        text = (name + "\0").encode("utf-16-le")
        return (text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, free, right, child) + bytes(36)
                + struct.pack("<IQ", start, size))
    head = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
            + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0) + b"\xff" * (108 * 4))
    fat = [0xFFFFFFFD, end] + list(range(3, 10)) + [end] + list(range(11, 18)) + [end]
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(sector, b"\xff")
    folder = (entry("Root Entry", 5, end, 0, child=1) + entry("EncryptionInfo", 2, 2, 4096, right=2)
              + entry("EncryptedPackage", 2, 10, 4096) + bytes(128))
    return head + table + folder + b"\4\0\4\0\x40\0\0\0".ljust(4096, b" ") + bytes(range(256)) * 16


def pdf(objects, trailer=""):
    out, places = b"%PDF-1.4\n", []
    for i, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{i} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{p:010} 00000 n \n" for p in places)
    return out + (f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\n"
                  f"startxref\n{len(out)}\n%%EOF\n").encode()


def encrypted_pdf():
    content = "BT /F1 12 Tf 20 100 Td (secret) Tj ET"
    return pdf(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
                f"<< /Length {len(content)} >>\nstream\n{content}\nendstream", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
                f"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -3904 /O <{'5a' * 32}> /U <{'a5' * 32}> >>"],
               "/Encrypt 6 0 R /ID [<0123456789abcdef> <0123456789abcdef>]")


def pdf_loop():
    """Pages that are their own parents and children."""
    return pdf(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 100000000 /Parent 2 0 R >>"])


# --- archives that want out ---

def tar_of(*members):
    """A tar of (name, kind, target or bytes)."""
    with io.BytesIO() as out:
        with tarfile.open(fileobj=out, mode="w") as t:
            for name, kind, what in members:
                info = tarfile.TarInfo(name)
                info.type = kind
                if kind == tarfile.REGTYPE:
                    info.size = len(what)
                    t.addfile(info, io.BytesIO(what))
                else:
                    info.linkname = what
                    t.addfile(info)
        return out.getvalue()


ESCAPES = {
    "dots.zip": zip_of({"../../outside.txt": b"out"}),
    "inner-dots.zip": zip_of({"a/../../outside.txt": b"out"}),
    "absolute.zip": zip_of({"/tmp/outside.txt": b"out"}),
    "backslash.zip": zip_of({"..\\..\\outside.txt": b"out"}),
    "drive.zip": zip_of({"C:\\outside.txt": b"out"}),
    "dots.tar": tar_of(("../outside.txt", tarfile.REGTYPE, b"out")),
    "absolute.tar": tar_of(("/tmp/outside.txt", tarfile.REGTYPE, b"out")),
    "symlink.tar": tar_of(("link", tarfile.SYMTYPE, "/tmp"), ("link/outside.txt", tarfile.REGTYPE, b"out")),
    "symlink-up.tar": tar_of(("link", tarfile.SYMTYPE, "../.."), ("link/outside.txt", tarfile.REGTYPE, b"out")),
    "hardlink.tar": tar_of(("link", tarfile.LNKTYPE, "/etc/passwd")),
}


# --- pictures ---

def png(width, height, data=b"\0" * 64):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def jpeg(width, height):
    """A real JPEG whose frame header was changed to that size."""
    data = bytearray((SAMPLES / "photo.jpg").read_bytes())
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
    data[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def tiff(width, height):
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, height),
            (279, 4, 64)]
    ifd = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 72) + bytes(64) + ifd


def gif(width, height):
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + b"," + struct.pack(
        "<HHHHB", 0, 0, width, height, 0) + b"\2\2\x4c\1\0;"


def svg(body="", doctype="", size=100):
    return (f'<?xml version="1.0"?>{doctype}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{size}" height="{size}">{body}</svg>').encode()
