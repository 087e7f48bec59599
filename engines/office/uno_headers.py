#!/usr/bin/env python3
"""Make the C++ headers of the UNO types that uno.cc uses, from LibreOffice's type library.

    uno_headers.py LIBREOFFICE OUTDIR STAMP
"""
import os
import subprocess
import sys
from pathlib import Path

TYPES = """awt.XCallback awt.XRequestCallback beans.PropertyValue frame.XComponentLoader frame.XStorable
lang.XMultiServiceFactory lang.XServiceInfo lang.XTypeProvider task.ErrorCodeRequest task.XInteractionAbort task.XInteractionHandler
uno.XAggregation uno.XWeak util.XCloseable""".split()

libreoffice, outdir, stamp = Path(sys.argv[1]), Path(sys.argv[2]).resolve(), Path(sys.argv[3])
(outdir / "uno").mkdir(exist_ok=True)
program = libreoffice / "program"
subprocess.run([libreoffice / "sdk/bin/cppumaker", f"-O{outdir / 'uno'}",
                "-T" + ";".join("com.sun.star." + t for t in TYPES), program / "types.rdb", program / "types/offapi.rdb"],
               env={**os.environ, "LD_LIBRARY_PATH": str(program)}, check=True)
stamp.write_text("")
