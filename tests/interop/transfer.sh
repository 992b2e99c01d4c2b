#!/usr/bin/env bash
# Packages that leave to third parties before programs that nobody here wrote. Arguments: the folder of our examples, a work
# folder in which `npm install age-encryption` was run, a venv with `bagit` and `jsonschema[format]`. `sigsum-verify` is looked
# for in the PATH and in $SIGSUM (where Debian's package was unpacked); $VCONZ is the program `vconz`. Shown: `age` or
# `age-encryption` opens the package and `tar` unpacks it; its digests, the authorisation and the signatures hold; each of
# these programs refuses a twin in which something is another.
set -Eeuo pipefail
trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR
transfer=$(realpath "$1")/transfer work=$(realpath "$2") venv=$(realpath "$3") here=$(dirname "$(realpath "$0")")
PATH=$PATH:${SIGSUM:-/nowhere}/usr/bin
rm -rf "$work/transfer" && mkdir -p "$work/transfer"
refused() { if ("${@:2}") >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; fi; } # a subshell: `same` may end it
same() { [[ -n "$2" && "$2" == "$3" ]] || { echo "NOT THE SAME: $1: $2, $3" && exit 1; }; }
hash() { sha256sum | cut -d' ' -f1; }
altered() { # a file, how many bytes before its end, its twin
    python3 -c 'import sys; d = bytearray(open(sys.argv[1], "rb").read()); d[-int(sys.argv[2])] ^= 1; open(sys.argv[3], "wb").write(d)' "$@"
}
cat >"$work/open.mjs" <<'JS'
import { readFileSync, writeFileSync } from "node:fs";
import { Decrypter } from "age-encryption";
const [identity, sealed, opened] = process.argv.slice(2);
const d = new Decrypter();
d.addIdentity(readFileSync(identity, "utf8").split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-PQ-1")));
writeFileSync(opened, await d.decrypt(new Uint8Array(readFileSync(sealed))));
JS
with_age() { age -d -i "$1" -o "$3" "$2"; } # an identity, a sealed file, the opened one
with_npm() { node "$work/open.mjs" "$@"; }

opened() { # a way, what does it
    local size
    "$1" recipient.identity package.age package.tar
    size=$(stat -c %s package.age)
    for at in 20 $((size / 2)); do
        altered package.age "$at" twin
        refused "a changed package, by $2" "$1" recipient.identity twin out
    done
    head -c $((size - 70000)) package.age >twin
    refused "a package that is cut, by $2" "$1" recipient.identity twin out
    refused "a package for somebody else, by $2" "$1" ../another.identity package.age out
    mkdir unpacked
    tar -xf package.tar -C unpacked
    bag=$(echo unpacked/transfer-*)
    # What GNU tar packs again is the same to the byte.
    (cd unpacked && find . -type f -printf '%P\n' | LC_ALL=C sort |
        tar -cf - --no-recursion --owner=0 --group=0 --numeric-owner --format=ustar --mode=0600 \
            --mtime="@$(stat -c %Y "../$bag/bagit.txt")" -T -) | cmp - package.tar
    echo "$2: opens the package. tar: unpacks it, and packs the same again"
    echo "refused: a package that was changed, cut or is for somebody else, by $2"
}

sums256() { (cd "$1" && sha256sum -c --quiet "$2-sha256.txt"); }
sums512() { (cd "$1" && sha512sum -c --quiet "$2-sha512.txt"); }
bag() { "$venv/bin/bagit.py" --validate --quiet "$1"; }
bundle() { # a bag's `data`, as the draft's bundle: entries at the top, no folders among them
    rm -f bundle.vconz && (cd "$1" && zip -q -r -D - .) >bundle.vconz && "$VCONZ" validate bundle.vconz
}
schema() { # files
    "$venv/bin/python" - "$here/../vcons/schemas/core-main-2342aba-0.4.0.schema.json" "$@" <<'PY'
import json, sys
from jsonschema import Draft7Validator, FormatChecker
check = Draft7Validator(json.load(open(sys.argv[1])), format_checker=FormatChecker())
bad = [(f, e.json_path, e.message[:100]) for f in sys.argv[2:] for e in check.iter_errors(json.load(open(f)))]
for b in bad[:20]:
    print(*b)
sys.exit(bool(bad) or len(sys.argv) < 3)
PY
}
contents() {
    local medium document
    bag "$bag"
    for list in manifest tagmanifest; do sums256 "$bag" $list; done
    for list in manifest tagmanifest; do sums512 "$bag" $list; done
    same "the number of files" "$(wc -l <"$bag/manifest-sha256.txt")" "$(find "$bag/data" -type f | wc -l)"
    echo "bagit.py, sha256sum, sha512sum: all $(wc -l <"$bag/manifest-sha256.txt") files and those about them"
    schema "$bag"/data/vcons/*.json
    echo "the working group's schema: $(find "$bag/data/vcons" -name '*.json' | wc -l) vCons"
    medium=$(find "$bag/data/files" -type f | sort | sed -n 1p) document=$(find "$bag/data/vcons" -type f | sort | sed -n 1p)
    for changed in "$medium" "$document" "$bag/data/manifest.json"; do
        mv "$changed" kept
        altered kept 5 "$changed"
        refused "a changed file, by bagit.py" bag "$bag"
        refused "a changed file, by sha256sum" sums256 "$bag" manifest
        refused "a changed file, by sha512sum" sums512 "$bag" manifest
        mv kept "$changed"
    done
    for changed in "$bag"/custody/* "$bag/bag-info.txt" "$bag"/manifest-*; do
        mv "$changed" kept
        altered kept 2 "$changed"
        # bagit.py takes its time.
        if [[ "$changed" == *transfer.json ]]; then refused "a changed file about them, by bagit.py" bag "$bag"; fi
        refused "a changed file about them, by sha256sum" sums256 "$bag" tagmanifest
        refused "a changed file about them, by sha512sum" sums512 "$bag" tagmanifest
        mv kept "$changed"
    done
    for twin in 's/"created_at": "20/"created_at": "x/' 's/"uuid"/"name"/' 's/"parties": \[/"parties": 7, "others": [/'; do
        sed "$twin" "$document" >twin.json
        if cmp -s twin.json "$document"; then echo "no twin: $twin" && exit 1; fi
        refused "a changed vCon, by the schema ($twin)" schema twin.json
    done
    echo "refused: a changed file, by bagit.py, sha256sum and sha512sum; a changed vCon, by the schema"
    if [[ -x "${VCONZ:-}" ]]; then
        bundle "$bag/data" >said || { cat said && exit 1; }
        mv "$medium" kept
        refused "a lost medium, by vconz" bundle "$bag/data"
        altered kept 5 "$medium"
        refused "a changed medium, by vconz" bundle "$bag/data"
        mv kept "$medium"
        mv "$document" kept
        sed 's/"uuid"/"name"/' kept >"$document"
        refused "a changed vCon, by vconz" bundle "$bag/data"
        mv kept "$document"
        echo "vconz: $(tail -1 said)"
        echo "refused: a changed or lost medium, a changed vCon, by vconz"
    else
        echo "SKIPPED, SKIPPED, SKIPPED: no Python 3.12 or later is here, which vcon-zip needs: NO BUNDLE WAS CHECKED BY vconz"
    fi
}

# What the recipient knows of the tenant is the agreement. From there to every file of the package.
value() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
for name in sys.argv[2:]: d = d[name]
print(d)' "$@"; }
authorised() {
    local custody=$bag/custody number message proof author twin pattern
    cmp agreement.note "$custody/agreement.note"
    cmp log.pub "$custody/log.pub"
    sed -n '/^$/q;p' agreement.note >agreement.json
    same "the log's key" "$(cat log.pub)" "$(value agreement.json log)"
    same "the tenant's key" "$(cat tenant.pub)" "$(value agreement.json tenant_key)"
    same "the recipient's key" "$(cat recipient.pub)" "$(value agreement.json recipient key)"
    same "the recipient" "$(sed -n 's/^# public key: //p' recipient.identity)" "$(value agreement.json recipient recipient)"
    same "the recipient" "$(value "$custody/transfer.json" recipient)" "$(value agreement.json recipient recipient)"
    number=$(basename "$custody"/*.sigsum-proof .sigsum-proof)
    message=$custody/$number.json proof=$custody/$number.sigsum-proof author=$custody/actor-$number.pub
    same "the author's key" "$(cut -d' ' -f2 "$author" | base64 -d | tail -c 32 | xxd -p -c 32)" "$(cat tenant.pub)"
    same "the kind of the entry" "$(value "$message" kind)" transfer.authorised
    same "the agreement's hash" "$(hash <agreement.json)" "$(value "$message" details agreement)"
    same "the agreement's hash" "$(hash <agreement.json)" "$(value "$custody/transfer.json" agreement)"
    same "the payload" "$(hash <"$custody/transfer.json")" "$(value "$message" payload)"
    same "the manifest's hash" "$(hash <"$bag/manifest-sha256.txt")" "$(value "$custody/transfer.json" manifest_sha256)"
    same "the transfer" "$bag" "unpacked/transfer-$(value "$message" details transfer)"
    echo "sha256sum: the entry names the agreement and transfer.json, which names the manifest"
    # The receipt is for that entry and payload.
    sed -n '/^$/q;p' receipt.note >receipt.json
    same "the receipt's entry" "$(value receipt.json log) $((10#$number))" "$(value "$message" log) $(value receipt.json seq)"
    same "the receipt's payload" "$(value receipt.json payload)" "$(value "$message" payload)"
    if ! command -v sigsum-verify >/dev/null; then
        echo "SKIPPED, SKIPPED, SKIPPED: sigsum-verify (Debian's sigsum-go) is not here: NO AUTHORISATION WAS CHECKED BY IT"
        return
    fi
    verify() { sigsum-verify -k "$1" -p "$2" "$3" <"$4"; } # keys, policy, proof, message
    verify "$author" "$custody/policy.sigsum" "$proof" "$message"
    for pattern in 's/"count":[0-9]*/"count":7777/' 's/transfer.authorised/transfer.completed/' 's/"payload":"./"payload":"x/'; do
        sed "$pattern" "$message" >twin
        if cmp -s twin "$message"; then echo "no twin: $pattern" && exit 1; fi
        refused "a changed message, by sigsum-verify" verify "$author" "$custody/policy.sigsum" "$proof" twin
    done
    for pattern in log=. leaf=. 'leaf=[0-9a-f]* .' root_hash=. '^signature=.' node_hash=.; do
        twin=$(sed -n "s/.*\($pattern\).*/\1/p" "$proof" | sed -n 1p)
        sed "0,/$pattern/s/$pattern/${twin%?}$([[ ${twin: -1} == 1 ]] && echo 2 || echo 1)/" "$proof" >twin
        refused "a changed proof ($pattern), by sigsum-verify" verify "$author" "$custody/policy.sigsum" twin "$message"
    done
    printf 'ssh-ed25519 %s\n' "$({ printf '\0\0\0\13ssh-ed25519\0\0\0 ' && xxd -r -p recipient.pub; } | base64 -w0)" >another.pub
    refused "another author, by sigsum-verify" verify another.pub "$custody/policy.sigsum" "$proof" "$message"
    printf 'log %s\nquorum none\n' "$(printf 'another log' | hash)" >policy
    refused "another log, by sigsum-verify" verify "$author" policy "$proof" "$message"
    echo "sigsum-verify: the tenant's ledger has authorised the transfer"
    echo "refused: a changed message, a changed proof, another author, another log, by sigsum-verify"
}

signed() { # a note, a name, a file with that signer's key
    local line id key=$work/transfer/key
    { printf '302a300506032b6570032100' && cat "$3"; } | xxd -r -p | openssl pkey -pubin -inform DER -out "$key.pem"
    sed -n '/^$/q;p' "$1" >"$key.text"
    line=$(sed '1,/^$/d' "$1" | grep -- "^— $2 ")
    base64 -d <<<"${line##* }" >"$key.signature"
    id=$({ printf '%s\n\1' "$2" && xxd -r -p "$3"; } | hash | cut -c1-8)
    same "the key's id" "$(head -c 4 "$key.signature" | xxd -p)" "$id"
    same "a length" "$(stat -c %s "$key.signature")" 68
    tail -c 64 "$key.signature" >"$key.only"
    openssl pkeyutl -verify -pubin -inkey "$key.pem" -rawin -in "$key.text" -sigfile "$key.only" | grep -q Successfully
}
gone() { GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE=$work/transfer/go go run "$here/transfer/note.go" "$@"; }
notes() {
    local note name
    for note in "agreement.note tenant" "agreement.note recipient" "receipt.note recipient"; do
        read -r note name <<<"$note"
        signed "$note" "$name" "$name.pub"
        sed '0,/"version": 1/s//"version": 2/' "$note" >twin
        refused "a changed document, by openssl" signed twin "$name" "$name.pub"
        sed "/^— $name /{s/1\(.\{9\}\)\$/2\1/;t;s/.\(.\{9\}\)\$/1\1/}" "$note" >twin
        if cmp -s twin "$note"; then echo "no twin: $note" && exit 1; fi
        refused "a changed signature, by openssl" signed twin "$name" "$name.pub"
    done
    echo "openssl: the agreement is signed by both, the receipt by the recipient"
    echo "refused: a changed document or signature, by openssl"
    gone agreement.note tenant tenant.pub recipient recipient.pub
    gone receipt.note recipient recipient.pub
    refused "an agreement as if the tenant alone had signed it, by note" gone agreement.note tenant tenant.pub
    refused "another's receipt, by note" gone receipt.note recipient tenant.pub
}

cd "$work/transfer"
for key in x25519 pq; do
    if [[ "$key" == x25519 ]]; then way=(with_age age) option=--x25519; else way=(with_npm age-encryption) option=; fi
    echo "to a recipient with a key of the kind $key"
    "$transfer" --keep "$key" $option >"$key.said"
    "$transfer" --keep another $option >/dev/null
    mv another/recipient.identity another.identity
    rm -r another
    case $key:$(sed -n 's/^# public key: //p' "$key/recipient.identity") in
        x25519:age1pq*) echo "NOT a key of X25519" && exit 1 ;;
        x25519:age1* | pq:age1pq1*) ;;
        *) echo "NOT a key of that kind" && exit 1 ;;
    esac
    cd "$key"
    opened "${way[@]}"
    contents
    authorised
    notes
    cd ..
done
