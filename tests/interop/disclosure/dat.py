"""Reads a load file as pandas does and compares it with what it names. Arguments: the folder of the volume, and more that the
line with the number must have, as NUMBER COLUMN VALUE."""
import hashlib
import pathlib
import sys

import pandas

volume = pathlib.Path(sys.argv[1])
data, name = volume.parent, volume.name
path = volume / "DATA" / f"{name}.dat"
raw = path.read_bytes()
assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n"), "byte order mark, last line end"
assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"), "a line end within a field"
table = pandas.read_csv(path, sep="\x14", quotechar="\xfe", encoding="utf-8-sig", engine="python", dtype=str, keep_default_na=False)
assert len(table) == raw.count(b"\r\n") - 1, "as many lines as documents"
assert not table.columns.duplicated().any() and list(table.columns)[:4] == ["BEGBATES", "ENDBATES", "BEGATTACH", "ENDATTACH"]
numbers = list(table["BEGBATES"])
assert numbers == sorted(numbers) == list(table["ENDBATES"]) and len(set(numbers)) == len(numbers), "numbers"
for _, family in table.groupby("RECORDID"):
    assert set(family["BEGATTACH"]) == {family["BEGBATES"].min()} and set(family["ENDATTACH"]) == {family["BEGBATES"].max()}
for _, line in table.iterrows():
    native = data / line["NATIVELINK"].replace("\\", "/")
    content = native.read_bytes()
    assert native.stem == line["BEGBATES"] and len(native.stem.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ_-")) >= 7
    assert str(len(content)) == line["FILESIZE"] and hashlib.sha256(content).hexdigest() == line["SHA256"]
    for link in ("TEXTLINK", "VCONLINK"):
        assert not line[link] or (data / line[link].replace("\\", "/")).is_file(), line[link]
    assert line["REDACTED"] in ("Y", "N")
found = {str(p) for what in ("NATIVES", "TEXT") for p in (volume / what).rglob("*") if p.is_file()}
named = {str(data / link.replace("\\", "/")) for column in ("NATIVELINK", "TEXTLINK") for link in table[column] if link}
assert found == named, found ^ named
for folder in volume.rglob("*"):
    assert not folder.is_dir() or sum(p.is_file() for p in folder.iterdir()) <= 2000, folder
lines = table.set_index("BEGBATES")
for number, column, value in zip(*[iter(sys.argv[2:])] * 3):
    assert lines.loc[number, column] == value, (number, column, lines.loc[number, column])

# The tables for people, by the same program and by Python's own.
sheets = {}
for path in sorted((volume / "DATA").glob("*.csv")):
    sheets[path.name] = sheet = pandas.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    for value in sheet.to_numpy().flatten():
        number = value[:1] == "+" and value[1:].isdigit()
        assert number or not value.lstrip().startswith(("=", "+", "-", "@")), (path.name, value)
audio = sheets["audio.csv"]
assert list(audio.columns) == ["Caller Name", "Originating Number", "Called Party Name", "Terminating Number", "Date", "Time", "Filename"]
assert set(audio["Filename"]) == {pathlib.PurePath(l.replace("\\", "/")).name for l in table[table["DOCTYPE"] == "audio"]["NATIVELINK"]}
assert list(sheets["production.csv"]["Begin Bates"]) == numbers
assert set(sheets["custody.csv"]["Evidence ID"]) == set(numbers)
print(f"pandas: {len(table)} documents in the load file, {len(sheets)} tables")
