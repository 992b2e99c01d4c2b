#!/usr/bin/env bash
# Packages of disclosures before programs that nobody here wrote, by the commands that are in the packages. Arguments: a folder
# with packages, each in a folder of its own: `disclosure.age`, `identity.txt`, an age identity of X25519 that opens it; `tsa.pem`
# beside them if they are stamped, `transparency.json` if there is a report on orders; a work folder; a venv with `bagit`,
# `pandas` and `jsonschema[format]`. `sigsum-verify` is looked for in the PATH and in $SIGSUM (where Debian's package was
# unpacked). Shown: every command of VERIFY.txt ends well, and ends badly on a twin in which something is another; pandas reads
# the load file; the report is as its schema says.
set -Eeuo pipefail
trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR
given=$(realpath "$1") work=$(realpath "$2")/disclosure venv=$(realpath "$3") here=$(dirname "$(realpath "$0")")
PATH=$venv/bin:$PATH:${SIGSUM:-/nowhere}/usr/bin
rm -rf "$work" && mkdir -p "$work"
refused() { if ("${@:2}") >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; fi; }
altered() { # a file of which a byte near its end becomes another
    python3 -c 'import sys; d = bytearray(open(sys.argv[1], "rb").read()); d[-int(sys.argv[2])] ^= 1; open(sys.argv[1], "wb").write(d)' "$@"
}
without=()
command -v sigsum-verify >/dev/null || {
    echo "SKIPPED, SKIPPED, SKIPPED: sigsum-verify (Debian's sigsum-go) is not here: NO ENTRY WAS CHECKED BY IT"
    without=(-e sigsum-verify)
}
# The commands of VERIFY.txt, but those that open the package: they are run in the bag.
commands() { sed -n 's/^    //p' "$1/VERIFY.txt" | sed '1,3d' | grep -v "${without[@]}" -e '^$'; }
# With `signed` and `openssl` failing as they do, and every command in turn.
verified() { (cd "$1" && bash -eo pipefail <(commands .)) >"$work/said" 2>&1; }

for package in "$given"/*/; do
    name=$(basename "$package")
    mkdir "$work/$name" && cp "$package"/* "$work/$name" && cd "$work/$name"
    [[ ! -e "$given/tsa.pem" ]] || cp "$given/tsa.pem" .
    # The first commands are in the package: whoever opens it knows them from elsewhere.
    age -d -i identity.txt -o disclosure.tar disclosure.age
    tar -xf disclosure.tar
    bag=$(echo disclosure-*/) && bag=${bag%/}
    (sed -n 's/^    //p' "$bag/VERIFY.txt" | sed -n 1,3p | tr '\n' ';' && echo) >opening
    rm disclosure.tar && mkdir again && cp identity.txt disclosure.age again/ && (cd again && eval "$(cat ../opening)" && cd .. && diff -r "$bag" "../$bag")
    # What GNU tar packs again is the same to the byte.
    (cd again && find "$bag" -type f -printf '%p\n' | LC_ALL=C sort |
        tar -cf - --no-recursion --owner=0 --group=0 --numeric-owner --format=ustar --mode=0600 \
            --mtime="@$(stat -c %Y "$bag/bagit.txt")" -T -) | cmp - again/disclosure.tar
    verified "$bag" || { cat "$work/said" && exit 1; }
    echo "$name: $(commands "$bag" | wc -l) commands of VERIFY.txt end well: $(commands "$bag" | sed 's/[ ({].*//' | sort | uniq -c | sort -rn | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}')"

    twins=0
    twin() { # a file of the bag and how far from its end a byte becomes another
        cp "$bag/$1" kept && altered "$bag/$1" "$2"
        refused "a changed $1" verified "$bag"
        mv kept "$bag/$1"
        twins=$((twins + 1))
    }
    while read -r file; do twin "${file#"$bag"/}" 20; done < <(find "$bag" -maxdepth 2 -type f ! -name '*.txt' ! -path '*/data/*' | sort; find "$bag/data" -type f | sort | sed -n '1~7p')
    # With manifests that fit, so that only what is behind them can tell.
    fitting() {
        (cd "$bag" && for sum in 256 512; do
            sed 's/^[0-9a-f]*  //' "manifest-sha$sum.txt" | xargs sha${sum}sum >m && mv m "manifest-sha$sum.txt"
            sed 's/^[0-9a-f]*  //' "tagmanifest-sha$sum.txt" | xargs sha${sum}sum >m && mv m "tagmanifest-sha$sum.txt"
        done)
    }
    cp -r "$bag" whole
    deeper() { # what, a file, an edit by sed
        sed -i "$3" "$bag/$2"
        if cmp -s "$bag/$2" "whole/$2"; then echo "no twin: $1" && exit 1; fi
        fitting
        refused "$1" verified "$bag"
        rm -rf "$bag" && cp -r whole "$bag"
        twins=$((twins + 1))
    }
    file=$(cd "$bag" && find data -name '*.json' | sort | sed -n 1p)
    deeper "a changed document with manifests that fit" "$file" '0,/"/s//" /'
    deeper "a changed disclosure.json with manifests that fit" custody/disclosure.json 's/"records": [0-9]*/"records": 77/'
    for note in "$bag"/custody/*.note; do
        note=custody/$(basename "$note")
        deeper "a changed $note with manifests that fit" "$note" '0,/"document"/s//"documemt"/'
    done
    rm -rf whole
    verified "$bag" || { cat "$work/said" && exit 1; }
    echo "refused: $twins twins in which something is another, by the same commands"

    python3 "$here/disclosure/integrity.py" "$bag"/data/integrity.json "$bag" 2>/dev/null ||
        python3 "$here/disclosure/integrity.py" "$bag"/data/*/DATA/integrity.json "$bag"
    python3 - "$here/../vcons/schemas/core-main-2342aba-0.4.0.schema.json" $(find "$bag/data" \( -path '*/vcons/*' -o -path '*/VCON/*' \) -name '*.json') <<'PY'
import json, sys
from jsonschema import Draft7Validator, FormatChecker
check = Draft7Validator(json.load(open(sys.argv[1])), format_checker=FormatChecker())
bad = [(f, e.json_path, e.message[:100]) for f in sys.argv[2:] for e in check.iter_errors(json.load(open(f)))]
for b in bad[:20]:
    print(*b)
print(f"the working group's schema: {len(sys.argv) - 2} vCons")
sys.exit(bool(bad) or len(sys.argv) < 3)
PY
    index=$(find "$bag/data" -maxdepth 2 -name index.html) && index=$(dirname "$index")
    python3 "$here/disclosure/pages.py" "$index"
    page=$(find "$index" -ipath "$index/pages/*.html" | sort | sed -n 1p)
    cp "$page" kept
    for twin in 's|href="[^"#]|&lost/|' 's|</title>|&<script src="https://example.com"></script>|' 's|</title>|&<a href="#nowhere"></a>|'; do
        sed "$twin" kept >"$page"
        if cmp -s kept "$page"; then echo "no twin: $twin" && exit 1; fi
        refused "a changed page ($twin)" python3 "$here/disclosure/pages.py" "$index"
    done
    mv kept "$page"
    for volume in "$bag"/data/*_VOL*; do
        [[ -d "$volume" ]] || continue
        python3 "$here/disclosure/dat.py" "$volume"
        load=$volume/DATA/$(basename "$volume").dat
        cp "$load" kept
        sed -i '2s/\xc3\xbe\x14\xc3\xbe/\x14\xc3\xbe/' "$load"
        refused "a load file with a quote missing" python3 "$here/disclosure/dat.py" "$volume"
        sed '2s/\xc3\xbe\x14\xc3\xbe/\r\n/' kept >"$load"
        refused "a load file with a line end within a line" python3 "$here/disclosure/dat.py" "$volume"
        sed '3d' kept >"$load"
        refused "a load file that lacks a document" python3 "$here/disclosure/dat.py" "$volume"
        mv kept "$load"
        echo "refused: a load file with a quote or a line missing or broken, by pandas"
    done
    if [[ -x "${VCONZ:-}" && -d "$bag/data/vcons" ]]; then
        (cd "$bag/data" && zip -q -r -D "$work/$name.vconz" .) && "$VCONZ" validate "$work/$name.vconz"
    fi
done

report=$given/transparency.json
if [[ -e "$report" ]]; then
    by_schema() {
        python3 - "$here/../../docs/transparency.schema.json" "$1" <<'PY'
import json, sys
from jsonschema import Draft202012Validator as Validator
schema, report = (json.load(open(path)) for path in sys.argv[1:])
Validator.check_schema(schema)
errors = list(Validator(schema).iter_errors(report))
for e in errors[:20]:
    print(e.json_path, e.message[:100])
sys.exit(bool(errors))
PY
    }
    by_schema "$report"
    sed 's/"tenants": [0-9]*/"tenants": "some"/' "$report" >"$work/report.json"
    refused "a report of another form" by_schema "$work/report.json"
    echo "the schema of transparency reports: valid, and a twin refused"
fi
