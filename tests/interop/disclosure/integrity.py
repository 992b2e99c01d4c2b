"""Compares every line of integrity.json with the files. Arguments: the file, the bag's folder."""
import base64
import hashlib
import json
import pathlib
import sys

bag = pathlib.Path(sys.argv[2])
documents = json.load(open(sys.argv[1]))["documents"]
stretches = 0
for line in documents:
    content = (bag / "data" / line["file"]).read_bytes()
    if line["place"]:
        entry = json.loads(content)
        for step in line["place"].split("/")[1:]:
            entry = entry[int(step) if isinstance(entry, list) else step]
        body = entry["body"]
        content = body.encode() if entry["encoding"] == "none" else base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    assert len(content) == line["bytes"], line
    assert hashlib.sha256(content).hexdigest() == line["sha256"], line
    assert hashlib.sha512(content).hexdigest() == line["sha512"], line
    stretch, original = line["stretch"], line["original"]
    if stretch:
        stretches += 1
        first, last = stretch["chunks"]
        assert first * 16384 <= stretch["bytes"][0] < (first + 1) * 16384
        assert (last - 1) * 16384 < stretch["bytes"][1] <= last * 16384
        assert stretch["sealed_bytes"][0] == 56 + first * 16400 and stretch["sealed_bytes"][1] <= line["sealed"]["bytes"]
        assert original["bytes"] >= stretch["bytes"][1] and original["sha256"] != line["sha256"]
    elif original:
        assert (original["bytes"], original["sha256"]) == (line["bytes"], line["sha256"]), line
print(f"integrity.json: {len(documents)} documents, {stretches} of them stretches")
