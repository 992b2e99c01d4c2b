#!/usr/bin/env bash
# Debian's `age` and npm's `age-encryption` against ours, both ways. Arguments: our `seal` example, a work folder in
# which `npm install age-encryption` was run.
set -euo pipefail
seal=$(realpath "$1") && cd "$2"
head -c 200000 /dev/urandom >plain
export SEAL_PASSPHRASE="correct horse battery"
same() { cmp plain back && rm -f back && echo "same: $1"; }
refused() { if "${@:2}" >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; else echo "refused: $1"; fi; }
broken() { # a copy with one byte of the last chunk changed
    python3 -c 'import sys; d = bytearray(open(sys.argv[1], "rb").read()); d[-20] ^= 1; open(sys.argv[2], "wb").write(d)' "$1" "$2"
}
# age asks for passphrases on a terminal only.
typed() {
    python3 - "$@" <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    seen = b""
    while chunk := os.read(fd, 1000):
        seen += chunk
        while b"assphrase" in seen and b":" in seen.split(b"assphrase", 1)[1]:
            seen = seen.split(b"assphrase", 1)[1].split(b":", 1)[1]
            os.write(fd, os.environ["SEAL_PASSPHRASE"].encode() + b"\n")
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}

rm -f x25519.key && age-keygen -o x25519.key 2>/dev/null && recipient=$(age-keygen -y x25519.key)
age -r "$recipient" -o theirs.age plain && "$seal" open x25519.key <theirs.age >back && same "age to us, X25519"
age -a -r "$recipient" -o theirs.age plain && "$seal" open x25519.key <theirs.age >back && same "age to us, X25519, armored"
"$seal" to "$recipient" <plain >ours.age && age -d -i x25519.key -o back ours.age && same "us to age, X25519"
"$seal" armor to "$recipient" <plain >ours.asc && age -d -i x25519.key -o back ours.asc && same "us to age, X25519, armored"
broken ours.age twin.age && refused "a changed file, by age" age -d -i x25519.key -o /dev/null twin.age
refused "a changed file, by us" bash -c "'$seal' open x25519.key <twin.age"
"$seal" pass <plain >ours.age && typed age -d -o back ours.age && same "us to age, scrypt"
rm -f theirs.age && typed age -p -o theirs.age plain && "$seal" open pass <theirs.age >back && same "age to us, scrypt"
refused "another passphrase" env SEAL_PASSPHRASE=wrong bash -c "'$seal' open pass <theirs.age"

cat >both.mjs <<'JS'
import { readFileSync, writeFileSync } from "node:fs";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
const [verb, ...names] = process.argv.slice(2);
const read = (name) => new Uint8Array(readFileSync(name));
if (verb === "key") {
  const identity = await generateHybridIdentity();
  writeFileSync(names[0], identity + "\n");
  console.log(await identityToRecipient(identity));
} else if (verb === "seal") {
  const e = new Encrypter();
  e.addRecipient(names[0]);
  writeFileSync(names[2], await e.encrypt(read(names[1])));
} else {
  const d = new Decrypter();
  d.addIdentity(readFileSync(names[0], "utf8").trim());
  writeFileSync(names[2], await d.decrypt(read(names[1])));
}
JS
recipient=$(node both.mjs key pq.key)
node both.mjs seal "$recipient" plain theirs.age && "$seal" open pq.key <theirs.age >back && same "age-encryption to us, mlkem768x25519"
"$seal" to "$recipient" <plain >ours.age && node both.mjs open pq.key ours.age back && same "us to age-encryption, mlkem768x25519"
broken ours.age twin.age && refused "a changed file, by age-encryption" node both.mjs open pq.key twin.age back
refused "a changed file, by us" bash -c "'$seal' open pq.key <twin.age"
