#!/usr/bin/env bash
# An export of the ledger before programs that nobody here wrote. Arguments: the export, a work folder, a venv with
# `proofbundle`. `sigsum-verify` is looked for in the PATH and in $SIGSUM (where Debian's package was unpacked).
set -Eeuo pipefail
trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR
given=$(realpath "$1") work=$(realpath "$2")/ledger venv=$(realpath "$3") here=$(dirname "$(realpath "$0")")
PATH=$PATH:${SIGSUM:-/nowhere}/usr/bin
rm -rf "$work" && mkdir -p "$work" && cd "$given"
refused() { if ("${@:2}") >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; fi; } # a subshell: `same` may end it
same() { [[ "$2" == "$3" ]] || { echo "NOT THE SAME: $1: $2, $3" && exit 1; }; }
hash() { sha256sum | cut -d' ' -f1; }
twin() { # a copy of a file in which the last byte of what a pattern matches first is another one; fails where nothing matches
    python3 - "$@" <<'PY'
import re, sys
d = bytearray(open(sys.argv[1], "rb").read())
found = re.search(sys.argv[2].encode(), d) or sys.exit(3)
d[found.end() - 1] = ord("2") if d[found.end() - 1] == ord("1") else ord("1")
open(sys.argv[3], "wb").write(d)
PY
}
pem() { { printf '302a300506032b6570032100' | xxd -r -p && cat; } | openssl pkey -pubin -inform DER -out "$1"; } # 32 bytes
ed25519() { openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" | grep -q Successfully; }

# Every file says the same of the log.
log=$(cat log.pub) vkey=$(cat log.vkey)
name=sigsum.org/v1/tree/$(xxd -r -p log.pub | hash)
id() { { printf '%s\n' "$1" && xxd -r -p <<<"$2" && cat; } | hash | cut -c1-8; } # name, algorithm, key
same "the vkey" "$vkey" "$name+$(xxd -r -p log.pub | id "$name" 01)+$({ printf '\1' && xxd -r -p log.pub; } | base64 -w0)"
same "the PEM file" "$(openssl pkey -pubin -in log.pem -outform DER | tail -c 32 | xxd -p -c 32)" "$log"
policy() { grep -v -e '^witness ' -e '^group witnesses ' "$1" | sed 's/^quorum witnesses$/quorum none/'; }
same "the C2SP policy" "$(policy policy.c2sp)" "log $vkey"$'\n'"quorum none"
same "the Sigsum policy" "$(policy policy.sigsum)" "log $log"$'\n'"quorum none"
same "the origin" "$(head -1 checkpoint)" "$name"
echo "openssl, sha256sum: the log's key is one in log.pub, log.pem, log.vkey, policy.c2sp, policy.sigsum and the checkpoint's origin"

receipts=()
for file in receipts/*.json; do receipts+=("$(basename "$file" .json)"); done
[[ -e "receipts/${receipts[0]}.json" ]] || { echo "no receipts" && exit 1; }

# Every checkpoint is signed by the log, says openssl; and by each witness of the C2SP policy that has a line in it.
signed() { # a signed note, a PEM file, the signer's name, its key's id, its algorithm
    local line out=$work/signed
    sed -n '/^$/q;p' "$1" >"$out.text"
    line=$(sed '1,/^$/d' "$1" | grep -F -- "— $3 " | sed -n 1p)
    base64 -d <<<"${line##* }" >"$out"
    same "the key's id" "$(head -c 4 "$out" | xxd -p)" "$4" >/dev/null
    tail -c 64 "$out" >"$out.signature"
    if [[ "$5" == 04 ]]; then
        same "a cosignature's length" "$(stat -c %s "$out")" 76 >/dev/null
        { printf 'cosignature/v1\ntime %d\n' "0x$(tail -c +5 "$out" | head -c 8 | xxd -p)" && cat "$out.text"; } >"$out.cosigned"
        mv "$out.cosigned" "$out.text"
    else
        same "a signature's length" "$(stat -c %s "$out")" 68 >/dev/null
    fi
    ed25519 "$2" "$out.text" "$out.signature"
}
cp checkpoint "$work/newest.checkpoint"
for r in "${receipts[@]}"; do sed '1,/^$/d' "receipts/$r.tlog-proof" >"$work/$r.checkpoint"; done
count=0 cosigned=0
for note in "$work"/*.checkpoint; do
    signed "$note" log.pem "$name" "$(cut -d+ -f2 log.vkey)" 01
    count=$((count + 1))
    for pattern in '^\S+\n\d+' '^\S+\n\d+\n.{9}' '— \S+ .{30}'; do
        twin "$note" "$pattern" "$work/twin"
        refused "a changed checkpoint, by openssl" signed "$work/twin" log.pem "$name" "$(cut -d+ -f2 log.vkey)" 01
    done
    while read -r _ _ witness _; do
        IFS=+ read -r who key_id blob <<<"$witness"
        grep -qF -- "— $who " "$note" || continue
        same "a witness's key" "$(base64 -d <<<"$blob" | head -c 1 | xxd -p) $(base64 -d <<<"$blob" | tail -c 32 | id "$who" 04)" "04 $key_id"
        base64 -d <<<"$blob" | tail -c 32 | pem "$work/witness.pem"
        signed "$note" "$work/witness.pem" "$who" "$key_id" 04
        cosigned=$((cosigned + 1))
        twin "$note" '^\S+\n\d+' "$work/twin"
        refused "a changed checkpoint, by openssl" signed "$work/twin" "$work/witness.pem" "$who" "$key_id" 04
    done < <(grep '^witness ' policy.c2sp || true)
done
echo "openssl: $count checkpoints are signed by the log; $cosigned cosignatures by who the policy knows"
echo "refused: a changed checkpoint, by openssl"

# What a receipt says, with nothing but sha256sum, xxd, base64 and openssl: the message's checksum, its author's
# signature, and the way from the entry up to the root that the log has signed.
entry() { # the 128 bytes at a number
    local at=$((10#$1)) n path
    n=$((at / 256)) && path=$(printf %03d $((n % 1000)))
    while ((n >= 1000)); do n=$((n / 1000)) && path=$(printf 'x%03d/%s' $((n % 1000)) "$path"); done
    [[ -e "tile/entries/$path" ]] || path=$(find "tile/entries/$path.p" -type f -printf '%f %p\n' | sort -n | tail -1 | cut -d/ -f3-)
    dd if="tile/entries/$path" bs=130 skip=$((at % 256)) count=1 status=none | tail -c 128
}
authored() { # a message, its entry, its author's PEM file
    same "the checksum" "$(sha256sum <"$1" | xxd -r -p | hash)" "$(head -c 32 "$2" | xxd -p -c 32)" &&
        { printf 'sigsum.org/v1/tree-leaf\0' && head -c 32 "$2"; } >"$work/authored.text" &&
        tail -c +33 "$2" | head -c 64 >"$work/authored.signature" &&
        ed25519 "$3" "$work/authored.text" "$work/authored.signature"
}
climbed() { # an entry, its number, a tlog-proof: the root that they make is the checkpoint's
    local node size root place=$((10#$2)) last digest
    { read -r _ && read -r size && read -r root; } < <(sed '1,/^$/d' "$3")
    last=$((size - 1)) digest=$({ printf '\0' && cat "$1"; } | hash)
    while read -r node; do
        node=$(base64 -d <<<"$node" | xxd -p -c 32)
        if ((place % 2 || place == last)); then
            digest=$(xxd -r -p <<<"01$node$digest" | hash)
            while ((place % 2 == 0 && place)); do place=$((place / 2)) last=$((last / 2)); done
        else
            digest=$(xxd -r -p <<<"01$digest$node" | hash)
        fi
        place=$((place / 2)) last=$((last / 2))
    done < <(sed -n '/^$/q;p' "$3" | sed '1d;/^extra /d;/^index /d')
    same "the way's length" "$last" 0 && same "the root" "$(base64 -d <<<"$root" | xxd -p -c 32)" "$digest"
}
for r in "${receipts[@]}"; do
    message=receipts/$r.json proof=receipts/$r.sigsum-proof entry=$work/$r.entry author=$work/$r.pem
    entry "$r" >"$entry"
    key=$(tail -c 32 "$entry" | xxd -p -c 32)
    cut -d' ' -f2 "keys/$key.pub" | base64 -d | tail -c 32 >"$work/key"
    same "the author's key" "$(hash <"$work/key")" "$key"
    pem "$author" <"$work/key"
    authored "$message" "$entry" "$author"
    twin "$message" '.{7}' "$work/twin"
    refused "a changed message, by sha256sum" authored "$work/twin" "$entry" "$author"
    twin "$entry" '(?s).{40}' "$work/twin"
    refused "a changed signature, by openssl" authored "$message" "$work/twin" "$author"
    same "the leaf line" "$(sed -n 's/^leaf=//p' "$proof")" "$key $(tail -c +33 "$entry" | head -c 64 | xxd -p -c 64)"
    same "the index line" "$(grep -m1 '^index ' "receipts/$r.tlog-proof")" "index $((10#$r))"
    if grep -q '^extra ' "receipts/$r.tlog-proof"; then
        same "the extra line" "$(sed -n '2s/^extra //p' "receipts/$r.tlog-proof")" "$(base64 -w0 "$entry")"
    fi
    line=$(sed -n "$((10#$r + 1))p" messages.jsonl)
    [[ -z "$line" ]] || same "the message in messages.jsonl" "$line" "$(cat "$message")"
    climbed "$entry" "$r" "receipts/$r.tlog-proof"
    if twin "receipts/$r.tlog-proof" '\nindex \d+\n\S{20}' "$work/twin"; then refused "a changed proof, by sha256sum" climbed "$entry" "$r" "$work/twin"; fi
    twin "$entry" '(?s).{40}' "$work/twin"
    refused "a changed entry, by sha256sum" climbed "$work/twin" "$r" "receipts/$r.tlog-proof"
done
echo "sha256sum, openssl: ${#receipts[@]} receipts, from the message up to the root"
echo "refused: a changed message, signature, entry, proof, by sha256sum and openssl"

# proofbundle: the tlog-proof and its entry.
bundle() { # an entry, a tlog-proof
    "$venv/bin/proofbundle" verify-proof --payload-file "$1" --log-vkey "$vkey" --expected-origin "$name" "${witnesses[@]}" "$2"
}
for r in "${receipts[@]}"; do
    entry=$work/$r.entry proof=receipts/$r.tlog-proof witnesses=()
    while read -r _ _ witness _; do
        grep -qF -- "— ${witness%%+*} " "$proof" && witnesses+=(--witness-vkey "$witness")
    done < <(grep '^witness ' policy.c2sp || true)
    witnesses+=(--threshold "$((${#witnesses[@]} / 2))")
    bundle "$entry" "$proof" >"$work/said" || { cat "$work/said" && exit 1; }
    for pattern in 'index \d+' '\nindex \d+\n\S{20}' '\n\nsigsum\S+\n\d+' '— \S+ .{30}'; do
        if twin "$proof" "$pattern" "$work/twin"; then refused "a changed proof, by proofbundle" bundle "$entry" "$work/twin"; fi
    done
    twin "$entry" '(?s).{7}' "$work/twin"
    refused "a changed entry, by proofbundle" bundle "$work/twin" "$proof"
done
echo "proofbundle: ${#receipts[@]} receipts"
echo "refused: a changed entry, proof, checkpoint, by proofbundle"

# sigsum-verify: the Sigsum proof and the message.
if command -v sigsum-verify >/dev/null; then
    sigsum() { sigsum-verify -k "$1" -p "$2" "$3" <"$4"; } # keys, policy, proof, message
    printf 'log %s\nquorum none\n' "$(printf 'another log' | hash)" >"$work/policy" # of a log that this is not
    printf 'ssh-ed25519 %s\n' "$({ printf '\0\0\0\13ssh-ed25519\0\0\0 ' && xxd -r -p log.pub; } | base64 -w0)" >"$work/key.pub"
    for r in "${receipts[@]}"; do
        message=receipts/$r.json proof=receipts/$r.sigsum-proof key=keys/$(tail -c 32 "$work/$r.entry" | xxd -p -c 32).pub
        sigsum "$key" policy.sigsum "$proof" "$message"
        twin "$message" '.{7}' "$work/twin"
        refused "a changed message, by sigsum-verify" sigsum "$key" policy.sigsum "$proof" "$work/twin"
        for pattern in 'log=.{9}' 'leaf=.{9}' 'leaf=\S+ .{9}' 'size=\d+' 'root_hash=.{9}' '\nsignature=.{9}' 'leaf_index=\d+' 'node_hash=.{9}'; do
            if twin "$proof" "$pattern" "$work/twin"; then
                refused "a changed proof ($pattern), by sigsum-verify" sigsum "$key" policy.sigsum "$work/twin" "$message"
            fi
        done
        refused "another author, by sigsum-verify" sigsum "$work/key.pub" policy.sigsum "$proof" "$message"
        refused "another log, by sigsum-verify" sigsum "$key" "$work/policy" "$proof" "$message"
        # The policy's witnesses, each demanded where it has cosigned.
        while read -r _ witness cosigner _; do
            sed "s/^quorum .*/quorum $witness/" policy.sigsum >"$work/policy.witness"
            line="^cosignature=$(xxd -r -p <<<"$cosigner" | hash) "
            grep -q "$line" "$proof" || continue
            sigsum "$key" "$work/policy.witness" "$proof" "$message"
            twin "$proof" "\\n${line#^}\\d+ .{9}" "$work/twin"
            refused "a changed cosignature, by sigsum-verify" sigsum "$key" "$work/policy.witness" "$work/twin" "$message"
            sed "/$line/d" "$proof" >"$work/twin"
            refused "a lost cosignature, by sigsum-verify" sigsum "$key" "$work/policy.witness" "$work/twin" "$message"
        done < <(grep '^witness ' policy.sigsum || true)
    done
    echo "sigsum-verify: ${#receipts[@]} receipts"
    echo "refused: a changed message, proof, checkpoint, another author, another log, by sigsum-verify"
else
    echo "SKIPPED, SKIPPED, SKIPPED: sigsum-verify (Debian's sigsum-go) is not here: NO SIGSUM PROOF WAS CHECKED BY IT"
fi

# Go's note and tlog, and four crates: the checkpoint, all tiles, all entries, the receipts. They make their own twins.
GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE=$work/go go run "$here/ledger/verify.go" "$given"
CARGO_TARGET_DIR=${LEDGER_TARGET:-$here/../../target/ledger} \
    cargo run --locked --quiet --manifest-path "$here/ledger/Cargo.toml" -- "$given"
