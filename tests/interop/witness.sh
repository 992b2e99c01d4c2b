#!/usr/bin/env bash
# Our witness client against Sigsum's `sigsum-witness` on this machine. Arguments: the folder of our examples, a work folder,
# a venv with `proofbundle`. The programs of sigsum-go are looked for in the PATH and in $SIGSUM (where Debian's package
# was unpacked). Shown: he signs, and again from what he signed last, also when he was restarted; stock `sigsum-verify`
# takes a receipt under a policy that demands him, and none without his line; a vault that was put back is told 409; one that
# went on otherwise is told 422. Whatever hangs is ended: he after two minutes, a request after one.
set -Eeuo pipefail
trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR
examples=$(realpath "$1") work=$(realpath "$2")/witnessed venv=$(realpath "$3") here=$(dirname "$(realpath "$0")")
data=$here/../../examples/data
PATH=$PATH:${SIGSUM:-/nowhere}/usr/bin
if ! command -v sigsum-witness >/dev/null; then
    echo "SKIPPED, SKIPPED, SKIPPED: sigsum-witness (Debian's sigsum-go) is not here: NO WITNESS WAS ASKED"
    exit 0
fi
rm -rf "$work" && mkdir -p "$work" && cd "$work"
refused() { if ("${@:2}") >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; fi; }
ingest() { "$examples/ingest" --vault v --tenant acme "$@" >>ingested; }
audit() { "$examples/audit" v v.keys/acme.identity "$@"; }
ask() { timeout 60 "$examples/witness" v acme "$url" "$vkey"; }

# He knows one log, by its key, and nothing of its past: no state is size 0. Debian's build turns Go's newer routing off, by
# which the program names its endpoints: without GODEBUG all is 404.
pid=
trap '[[ -z "$pid" ]] || kill "$pid" 2>/dev/null || true' EXIT
start() {
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    GODEBUG=httpmuxgo121=0 timeout 120 \
        sigsum-witness -k key --log-key log.pub --state-file state "127.0.0.1:$port" >>witness.out 2>&1 </dev/null &
    pid=$! url=http://127.0.0.1:$port
    for _ in {1..50}; do
        if asked "$port"; then return 0; fi
        sleep 0.1
    done
    echo "sigsum-witness does not answer" >&2 && cat witness.out >&2 && exit 1
}
asked() { # an empty request gives 400 from a witness that is ready
    local status=
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
    printf 'POST /add-checkpoint HTTP/1.0\r\nContent-Length: 0\r\n\r\n' >&3
    read -r _ status _ <&3 || true
    exec 3>&-
    [[ "$status" == 400 ]]
}

ingest "$data"/meridian-bank
audit pin plain >audited
sigsum-key generate -o key
sigsum-key from-hex -k plain/log.pub -o log.pub
vkey=$(sigsum-key to-vkey -k key.pub -n "sigsum.org/v1/witness/$(sigsum-key to-hash -k key.pub)" -t cosignature/v1)
start
ask | tee signed
grep -q '^POST /add-checkpoint, old 0: 200' signed
cp -r v old

ingest "$data"/harbor-energy
ask | tee signed
size=$(sed -n 's/.* has signed \([0-9]*\) entries.$/\1/p' signed)
grep -q '^POST /add-checkpoint, old [1-9][0-9]*: 200' signed
kill "$pid" && wait "$pid" 2>/dev/null || true
start
ask | tee signed
grep -q "^POST /add-checkpoint, old $size: 200" signed
echo "sigsum-witness: has signed three times, the last after a restart, which changed nothing"

audit pin export "$vkey" >audited
grep -q '^Nothing is wrong' audited && grep -q "^As many witnesses as were asked for have seen $size entries" audited
tail -1 export/policy.sigsum | grep -qx 'quorum witnesses' && tail -2 export/policy.sigsum | grep -qx 'group witnesses 1 w1'
for message in export/receipts/*.json; do
    proof=${message%.json}.sigsum-proof
    verify() { sigsum-verify -k "export/keys/$(sed -n 's/^leaf=\(\S*\) .*/\1/p' "$proof").pub" -p export/policy.sigsum "$1" <"$message"; }
    verify "$proof"
    sed '/^cosignature=/d' "$proof" >twin
    refused "a receipt without the witness's line, by sigsum-verify" verify twin
    sed '/^cosignature=/s/0$/1/; t; /^cosignature=/s/.$/0/' "$proof" >twin
    refused "a receipt with another line of the witness, by sigsum-verify" verify twin
done
echo "sigsum-verify: the receipts, under a policy that demands the witness, and none without his line"
"$here/ledger.sh" export "$work" "$venv"

# The vault's folder is put back, anchor and all: nothing in it can tell, but he can.
mv v new && cp -r old v
if ask >told 2>&1; then echo "NOT REFUSED: a vault that was put back" && exit 1; fi
grep '^POST' told
grep -q '^POST /add-checkpoint, old [1-9][0-9]*: 409' told && grep -qx 'kind: RolledBack' told
# It goes on otherwise, until it is as large as what he saw, and larger: a session is two entries.
for turn in {1..200}; do
    audit other >audited
    now=$(sed -n 's/^The checkpoint of \([0-9]*\) entries is pinned.*/\1/p' audited)
    ((now < size)) || break
done
if ask >told 2>&1; then echo "NOT REFUSED: a vault that was put back and went on" && exit 1; fi
grep '^POST' told
grep -q "^POST /add-checkpoint, old $size: 422" told && grep -qx 'kind: Forked' told
# And the one that he knows, he signs.
rm -r v && mv new v
ask >told
grep -q "^POST /add-checkpoint, old $size: 200" told
echo "sigsum-witness: 409 to a vault that was put back, 422 to one that went on otherwise, and the true one is signed"
