"""Change one byte of the model inside a wheel, as an attacker would: everything else, the ZIP's checksums too, fits."""

import zipfile
from pathlib import Path

wheel = next(Path("dist").glob("tumour-*.whl"))
Path("tampered").mkdir()
with zipfile.ZipFile(wheel) as genuine, zipfile.ZipFile(Path("tampered") / wheel.name, "w") as tampered:
    for entry in genuine.infolist():
        content = bytearray(genuine.read(entry))
        if "/artifacts/" in entry.filename:
            content[len(content) // 2] ^= 1
        tampered.writestr(entry, bytes(content))
