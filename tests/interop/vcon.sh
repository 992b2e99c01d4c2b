#!/usr/bin/env bash
# A bag of vCons before programs that nobody here wrote. Arguments: a bag, a venv with `bagit`, `jsonschema[format]`.
set -euo pipefail
bag=$(realpath "$1") venv=$(realpath "$2") here=$(dirname "$(realpath "$0")")
refused() { if "${@:2}" >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; else echo "refused: $1"; fi; }
"$venv/bin/bagit.py" --validate --quiet "$bag"
echo "bagit.py: valid"
(cd "$bag" && sha256sum -c --quiet manifest-sha256.txt && sha512sum -c --quiet manifest-sha512.txt && sha256sum -c --quiet tagmanifest-sha256.txt)
echo "sha256sum, sha512sum: all $(wc -l <"$bag/manifest-sha256.txt") files"
"$venv/bin/python" - "$bag" "$here/../vcons/schemas/core-main-2342aba-0.4.0.schema.json" <<'PY'
import glob, json, sys
from jsonschema import Draft7Validator, FormatChecker
check = Draft7Validator(json.load(open(sys.argv[2])), format_checker=FormatChecker())
files = glob.glob(sys.argv[1] + "/data/*/vcon.json")
bad = [(f, e.json_path, e.message[:100]) for f in files for e in check.iter_errors(json.load(open(f)))]
for b in bad[:20]:
    print(*b)
assert files and not bad, f"{len(bad)} errors"
twin = json.load(open(files[0]))
twin["created_at"] = 7
assert list(check.iter_errors(twin)), "the validator takes anything"
print(f"the working group's schema: {len(files)} vCons")
PY
twin=$(mktemp -d) && cp -r "$bag" "$twin/bag"
first=$(find "$twin/bag/data" -name vcon.json | sort | sed -n 1p) && printf ' ' >>"$first"
refused "a changed bag, by bagit.py" "$venv/bin/bagit.py" --validate --quiet "$twin/bag"
refused "a changed bag, by sha256sum" bash -c "cd '$twin/bag' && sha256sum -c --quiet manifest-sha256.txt"
rm -rf "$twin"
