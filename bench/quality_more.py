"""The figures that are not about a format: encodings, ranges, chunks, OCR, hostile files, mail."""
import collections
import email
import email.policy
import json
import os
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path

import quality_measure as measure
from quality_expected import Parts, from_html
from quality_files import has_step, output_of, platen_run


# --- mail: what Python's reader finds

def mail_head(message):
    """Subject, who and when, as document.extract writes them."""
    lines = [message["subject"] or ""]
    for name in ("From", "Reply-To", "To", "Cc"):
        if message[name]:
            lines.append(f"{name}: {' '.join(str(message[name]).split())}")
    date = getattr(message["date"], "datetime", None)
    return lines + ([f"Date: {date.isoformat()}"] if date else [])


def mail_parts(file):
    """The head and the body of a mail: of each alternative the plain one, or the HTML where there is no other; None where
    Python's reader has no clean text."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    try:
        text = body.get_content() if body is not None else ""
        head = mail_head(message)
    except (LookupError, UnicodeError, KeyError, ValueError):
        return None
    if body is not None and body.get_content_subtype() == "html":
        text = from_html(text).text
    clean = text.strip() and not set(text) & {"\ufffd", "\0"}
    attached = [a.get_filename() for a in message.iter_attachments() if a.get_filename()]
    return Parts("\n".join(head + [text] + attached)) if clean else None


def mail(corpus):
    """(file, parts): the corpus has no expected outputs for mail, so Python's own reader says what the body is."""
    pairs = [(f, mail_parts(f)) for f in corpus.files("eml")]
    return [(f, parts) for f, parts in pairs if parts is not None]


# --- encodings

SAME_CHARSET = {"ascii": {"us-ascii", "utf-8"}, "utf-8-sig": {"utf-8"}, "gb2312": {"gb2312", "gbk", "gb18030"}, "iso-8859-1": {"iso-8859-1", "windows-1252"},
                "iso-8859-9": {"iso-8859-9", "windows-1254"}, "shift_jis": {"shift_jis", "windows-31j", "cp932"}, "ibm866": {"ibm866", "cp866"},
                "euc-kr": {"euc-kr", "uhc", "cp949"}, "iso-8859-11": {"tis-620", "windows-874", "iso-8859-11"}, "tis-620": {"tis-620", "windows-874", "iso-8859-11"},
                "cp949": {"euc-kr", "uhc", "cp949"}, "gbk": {"gb2312", "gbk", "gb18030"}, "iso-8859-8": {"iso-8859-8", "windows-1255"}}

# Article 1 of the Universal Declaration of Human Rights, in the encodings that the corpus has no file of.
ARTICLE = {
    "cs": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím a mají spolu jednat v duchu bratrství.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה.",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
    "lv": "Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā un tiesībās. Viņi ir apveltīti ar saprātu un sirdsapziņu, un viņiem jāizturas citam pret citu brālības garā.",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
    "zh": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。人人有资格享有本宣言所载的一切权利和自由，不分种族、肤色、性别、语言。",
    "ar": "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميرًا وعليهم أن يعامل بعضهم بعضًا بروح الإخاء.",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю і повинні діяти у відношенні один до одного в дусі братерства.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen. „Größe“ heißt 5 €.",
}
MADE = (("windows-1250", "cs"), ("iso-8859-2", "cs"), ("windows-1251", "uk"), ("iso-8859-5", "ru"), ("windows-1253", "el"), ("iso-8859-7", "el"),
        ("windows-1255", "he"), ("iso-8859-8", "he"), ("tis-620", "th"), ("windows-1257", "lv"), ("koi8-u", "uk"), ("iso-2022-kr", "ko"),
        ("cp949", "ko"), ("iso-2022-jp", "ja"), ("gb18030", "zh"), ("utf-16be", "ru"), ("utf-32le", "ja"), ("mac-cyrillic", "ru"), ("windows-1252", "de"))


def decoded(data, name):
    name = re.sub(r"-(russian|arabic|turkish|greek|hebrew)$", "", (name or "").lower().removeprefix("x-"))
    try:
        return data.decode(name).removeprefix("\ufeff")
    except (LookupError, UnicodeError):
        return None


def charset_fits(data, wanted, found):
    """The name itself, one of its supersets, or any that gives the same text for these bytes."""
    wanted, found = re.sub(r"-(russian|arabic|turkish|greek|hebrew)$", "", wanted.lower()), (found or "").lower()
    if found == wanted or found in SAME_CHARSET.get(wanted, ()):
        return True
    text = decoded(data, found)
    return text is not None and text == decoded(data, wanted)


def encodings(build, report, corpus, temp):
    wanted = [(f, note.split("encoding=")[1].split()[0]) for f, note in corpus.noted("encoding=")]
    real = len(wanted)
    folder = temp / "encodings"
    folder.mkdir()
    for name, language in MADE:
        path = folder / f"{name}.txt"
        path.write_bytes("\n".join([ARTICLE[language]] * 3).encode(name, "ignore"))
        wanted.append((path, name))
    rows = platen_run(build, "file.detect", [f for f, _ in wanted], temp / "detected")
    wrong = [f"{name}: {row['data'].get('charset')} ({f.name})" for (f, name), row in zip(wanted, rows) if not charset_fits(f.read_bytes(), name, row["data"].get("charset"))]
    good = len(wanted) - len(wrong)
    report.figure("encodings recognised", f"{good} of {len(wanted)}", "39 of 41", good >= 39, "as measured before: uchardet 32, libmagic 8")
    report.add("", "## Encodings", "", f"{real} files of the corpus with a known encoding and {len(MADE)} made of article 1 of the declaration of human rights. "
               "Not recognised: " + ("; ".join(wrong) or "none") + ".")


# --- ranges of blocks, chunks

def text_files(corpus):
    return [f for f in corpus.files("pdf", "docx", "pptx", "html", "epub", "odt", "rtf", "markdown", "txt") if f.stat().st_size < 400_000]


def ranges(build, report, corpus, temp):
    """Every block of the JSON output: its page where the format has pages, and its exact characters of the text output."""
    files = text_files(corpus)
    texts = platen_run(build, "document.extract", files, temp / "ranges-text", "--format", "text")
    blocks = platen_run(build, "document.extract", files, temp / "ranges-json", "--format", "json")
    whole = total = good = 0
    for t, j in zip(texts, blocks):
        if not (t["outputs"] and j["outputs"]):
            continue
        text = Path(t["outputs"][0]["path"]).read_text(encoding="utf-8")
        found = json.loads(Path(j["outputs"][0]["path"]).read_text(encoding="utf-8"))["blocks"]
        whole += 1
        end = 0
        for b in found:
            total += 1
            stands = text[b["from"]:b["to"]]
            says = b.get("text")
            paged = "page" in b or not j["data"]["pages"]
            good += end <= b["from"] < b["to"] <= len(text) and paged and (says is None or "".join(says.split()) in "".join(stands.split()))
            end = b["to"]
    report.figure("blocks with page and exact, non-overlapping range", f"{good} of {total}", "all", good == total, f"{whole} files")


def chunks(build, report, corpus, temp):
    if not has_step(build, "text.chunk"):
        report.add("", "## Chunks", "", "Not measured: this build has no step text.chunk.")
        return
    files = text_files(corpus)
    texts = platen_run(build, "document.extract", files, temp / "chunk-text", "--format", "text")
    bad, count, total = [], 0, 0
    for method in ("sentences", "meaning", "tokens"):
        rows = platen_run(build, "text.chunk", files, temp / f"chunked-{method}", "--method", method, "--size", "256")
        for file, text, row in zip(files, texts, rows):
            if not text["outputs"]:
                continue
            fault, pieces = chunk_fault(source_text(file, text, row), text["data"]["pages"], row)
            count, total = count + 1, total + pieces
            bad += [f"{file.name} ({method}): {fault}"] if fault else []
    report.figure("chunks: pages, exact ranges without overlap, the source again when put together", f"{count - len(bad)} of {count} files", "all",
                  not bad, f"{total} chunks by sentences, meaning and tokens")
    report.add("", "## Chunks", "", "Chunks of each file put together again are compared with its text. Wrong: " + ("; ".join(bad[:20]) or "none") + ".")


def source_text(file, text, row):
    """What the ranges of the chunks count in: the file itself when it is text, else its plain text."""
    if row["data"].get("read_as") in ("text", "markdown"):
        return decoded(file.read_bytes(), text["data"].get("charset") or "utf-8")
    return Path(text["outputs"][0]["path"]).read_text(encoding="utf-8")


def chunk_fault(text, pages, row):
    """(what is wrong with the chunks or None, how many there are)"""
    if not row["outputs"]:
        return row["reason"] or "no output", 0
    made = [json.loads(line) for line in Path(row["outputs"][0]["path"]).read_text(encoding="utf-8").splitlines()]
    end = 0
    for c in made:
        if c["from"] != end or c["to"] < end:
            return f"chunk {c['index']} begins at {c['from']}, the one before ends at {end}", len(made)
        if pages and not 1 <= (c["first_page"] or 0) <= (c["last_page"] or 0) <= pages:
            return f"chunk {c['index']} has pages {c['first_page']} to {c['last_page']} of {pages}", len(made)
        if c["text"] != text[c["from"]:c["to"]]:
            return f"chunk {c['index']} is not its range", len(made)
        end = c["to"]
    return (None if end == len(text) else f"{len(text) - end} characters are in no chunk"), len(made)


# --- OCR

def ocr(build, report, corpus, temp):
    if not has_step(build, "ocr.document"):
        report.add("", "## OCR", "", "Not measured: this build has no step ocr.document.")
        return
    tesseract = output_of("tesseract", "FILE", "-")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    for what, start, goal in (("books", "old-books", 0.985), ("receipts", "icdar", 0.93)):
        pairs = [p for p in corpus.pairs("ocr") if p[0].name.startswith(start)]
        rows = platen_run(build, "ocr.document", [p[0] for p in pairs], temp / f"ocr-{what}", "--format", "text")
        ours, theirs = [], []
        for (file, truth), row in zip(pairs, rows):
            want = truth.read_text(encoding="utf-8", errors="replace")
            ours.append(measure.characters(want, Path(row["outputs"][0]["path"]).read_text(encoding="utf-8") if row["outputs"] else ""))
            peer = tesseract(file, temp)
            theirs += [] if peer is None else [measure.characters(want, peer)]
        value, peer = sum(ours) / len(ours), sum(theirs) / len(theirs) if theirs else 0
        report.figure(f"OCR characters, {what}", value, f"{goal} and tesseract's", value >= goal and value >= peer, f"tesseract {peer:.3f}")


# --- hostile files

# A process of its own each, so that its memory is known; children that were waited for count too.
STEPS = ("document.extract", "archive.list", "archive.extract", "image.info")


def alone(build, step, file, out):
    started = time.monotonic()
    process = subprocess.Popen([build / "platen", "run", step, file, "--json", "-o", out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = process.stdout.read().decode("utf-8", "replace").strip()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return (json.loads(line) if line.startswith("{") else None), time.monotonic() - started, usage.ru_maxrss * 1024


def verdict(row):
    if row is None:
        return "neither"
    if row["status"] == "done":
        return "result" if row["outputs"] or row["data"] else "neither"
    return "reason" if row["reason"] and row["hint"] and row["reason"] not in ("engine_crashed", "internal") else "neither"


def hostile(build, report, corpus, temp):
    steps = [s for s in STEPS if has_step(build, s)]
    counts, neither, rows, worst_time, worst_memory = collections.Counter(), [], [], (0, ""), (0, "")
    for file in corpus.files("malformed", "malicious", "encrypted"):
        found, bomb = [], any(w in file.name for w in ("bomb", "42.zip", "quine", "oom", "oversized", "gzip.gz"))
        for step in steps if bomb else steps[:1]:
            out = temp / "hostile"
            row, seconds, memory = alone(build, step, file, out)
            shutil.rmtree(out, ignore_errors=True)
            found.append(verdict(row))
            if verdict(row) == "neither":
                neither.append(f"{file.name}: {step}")
            if bomb and row is not None and row["status"] == "failed":
                worst_time = max(worst_time, (seconds, f"{file.name}, {step}"))
                worst_memory = max(worst_memory, (memory, f"{file.name}, {step}"))
            if bomb:
                rows.append((file.name, step, (row or {}).get("reason") or "result", f"{seconds:.2f}", f"{memory / 1e6:.0f}"))
        counts[found[0]] += 1
    report.figure("malformed, malicious, encrypted: a result or a reason with a remedy", f"{sum(counts.values()) - counts['neither']} of {sum(counts.values())}",
                  "all", not neither, f"{counts['result']} results, {counts['reason']} reasons")
    report.figure("bombs refused, slowest", f"{worst_time[0]:.2f} s", "2 s", worst_time[0] <= 2, worst_time[1])
    report.figure("bombs refused, most memory", f"{worst_memory[0] / 1e6:.0f} MB", "256 MB", worst_memory[0] <= 256e6, worst_memory[1])
    report.add("", "## Hostile files", "", "One process per file and step, its start included. Neither result nor reason: " + (", ".join(neither) or "none") + ".")
    report.table(("bomb", "step", "answer", "seconds", "MB at most"), rows)
