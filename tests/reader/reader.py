"""Opens a strongroom vault from docs/SPEC.md alone: reader.py VAULT IDENTITY_FILE OUT_DIR [RECORD]."""
import hashlib, hmac, pathlib, re, sqlite3, struct, sys, uuid

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

FIELDS = [b"tel", b"mailto", b"customer"]
KINDS = ["head", "audio", "transcript", "chat", "e-mail", "attachment", "analysis", "original"]
CHANNELS = ["voice", "video", "chat", "sms", "e-mail", "social", "other"]
def need(condition, what):
    if not condition:
        raise SystemExit(f"refused: {what}")
def u(width, number):
    return number.to_bytes(width, "big")
def number(data):
    return int.from_bytes(data, "big")

def enc(label, *fields):  # 2.1
    return b"strongroom/1/" + label.encode() + b"\0" + b"".join(u(4, len(f)) + f for f in fields)

def parse(label, data):
    head = b"strongroom/1/" + label.encode() + b"\0"
    need(data.startswith(head), f"no {label}")
    fields, at = [], len(head)
    while at < len(data):
        end = at + 4 + number(data[at:at + 4])
        need(at + 4 <= len(data) and end <= len(data), f"a {label} that is cut")
        fields.append(data[at + 4:end])
        at = end
    return fields
def exp(key, info):  # 1
    return hmac.digest(key, info + b"\x01", "sha512")[:32]
def h(data):
    return hashlib.sha256(data).digest()

def padded(n):  # 2.3
    e = n.bit_length() - 1
    return 1024 if n <= 1024 else -(-n >> (e - e.bit_length())) << (e - e.bit_length())
def coblen(n):  # 3
    return 56 + n + 16 * (n // 16384 + 1)

def cob(key, context, sealed):
    try:
        opener = Cobblestone256Decryptor(key, context)
        return opener.update(sealed) + opener.finalize()
    except Exception as error:
        raise SystemExit(f"refused: a sealed stream does not open ({type(error).__name__})")

def signed(data):  # 4.4
    body, signature = parse("signed", data)
    def check(key):
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, body)
        except InvalidSignature:
            raise SystemExit("refused: a signature does not verify")
    return body, check

class Identity:  # 4.1, 4.2
    def __init__(self, text):
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        need(len(lines) == 1 and lines[0] == lines[0].upper(), "an identity file without exactly one identity")
        prefix, self.secret = bech32(lines[0].lower())
        need(len(self.secret) == 32 and prefix in ("age-secret-key-pq-", "age-secret-key-"), "an unknown identity")
        self.suite = 1 if prefix == "age-secret-key-pq-" else 2
        if self.suite == 1:
            wide = hashlib.shake_256(self.secret).digest(96)
            kem, dh = mlkem.MLKEM768PrivateKey.from_seed_bytes(wide[:64]), x25519.X25519PrivateKey.from_private_bytes(wide[64:])
            self.private, kind = MLKEM768X25519PrivateKey(kem, dh), KEM.MLKEM768_X25519
            public = kem.public_key().public_bytes_raw() + dh.public_key().public_bytes_raw()
        else:
            self.private, kind = x25519.X25519PrivateKey.from_private_bytes(self.secret), KEM.X25519
            public = self.private.public_key().public_bytes_raw()
        self.hpke, self.field = Suite(kind, KDF.HKDF_SHA256, AEAD.AES_256_GCM), u(2, self.suite) + public
        seed = exp(self.secret, enc("tenant-sign"))
        self.signing = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()

def bech32(text):  # BIP 173 without its length limit
    alphabet, (prefix, _, data) = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", text.rpartition("1")
    need(prefix and len(data) > 6 and set(data) <= set(alphabet), "no Bech32")
    values, check = [alphabet.index(c) for c in data], 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            check ^= g if top >> i & 1 else 0
    need(check == 1, "a Bech32 checksum")
    bits = "".join(f"{v:05b}" for v in values[:-6])
    need(len(bits) % 8 < 5 and "1" not in bits[len(bits) // 8 * 8:], "a Bech32 padding")
    return prefix, bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8))

class Codec:  # 2.2
    def __init__(self, data):
        self.data, self.at = data, 0
    def num(self, form):
        return struct.unpack("<" + form, self.raw(struct.calcsize("<" + form)))[0]
    def raw(self, n):
        need(self.at + n <= len(self.data), "a head that is cut")
        self.at += n
        return self.data[self.at - n:self.at]
    def option(self, read):
        return read() if self.variant(1, "B") else None
    def text(self):
        return self.raw(self.num("Q")).decode()
    def many(self, read):
        return [read() for _ in range(self.num("Q"))]
    def variant(self, last, form="I"):
        number = self.num(form)
        need(number <= last, "an unknown variant")
        return number

def read_head(data):  # 6.3
    c = Codec(data)
    need(c.num("H") == 1, "a head of another version")
    head = {"ingested": c.num("q"), "start": c.option(lambda: c.num("q")), "duration_ms": c.option(lambda: c.num("Q"))}
    channel = c.variant(6)
    head["channel"] = c.text() if channel == 6 else CHANNELS[channel]
    head["direction"] = c.option(lambda: c.variant(2))
    for name in ("agent", "queue", "language"):
        head[name] = c.option(c.text)
    head["tags"], head["policy_version"] = c.many(c.text), c.option(c.text)
    role = lambda: (lambda n: c.text() if n == 4 else n)(c.variant(4))
    head["subjects"] = c.many(lambda: (role(), c.option(c.text), c.many(lambda: (c.variant(2), c.text()))))
    head["idempotency_key"], head["amends"] = c.option(c.text), c.option(lambda: c.raw(16))
    digest = lambda: (c.variant(1), c.raw(c.num("Q")))
    part = lambda: dict(kind=c.variant(6) + 1, media_type=c.text(), name=c.option(c.text), len=c.num("Q"), digest=c.option(digest), sealed=c.raw(32))
    head["parts"] = c.many(part)
    need(c.at == len(data), "bytes behind a head")
    return head

def main(folder, identity_file, out, only=None):
    folder, me = pathlib.Path(folder), Identity(pathlib.Path(identity_file).read_text())
    db = sqlite3.connect(f"file:{folder}/vault.db?mode=ro", uri=True)
    vault, = db.execute("SELECT id FROM vault").fetchone()
    shred = (folder / "shred").read_bytes()
    rows, seen = "SELECT n, id, time, header, digest, head FROM records WHERE tenant = ? ORDER BY n", 0
    for tn, tenant, card, policy in db.execute("SELECT t.n, t.id, c.bytes, p.bytes FROM tenants t JOIN cards c ON c.tenant = t.n JOIN policies p ON p.tenant = t.n").fetchall():
        (card, check), (policy, check_policy) = signed(card), signed(policy)
        f, custodians = parse("tenant-card", card), parse("disclosure-policy", policy)[6:]
        if f[3] != me.field:
            continue
        need(len(f) == 6 and (f[0], f[1], f[4]) == (vault, tenant, me.signing), "the tenant's card")
        check(f[4]), check_policy(f[4])
        for row in db.execute(rows, (tn,)).fetchall():
            if only is None or uuid.UUID(only).bytes == row[1]:
                read_record(db, folder, shred, me, (vault, tenant), row, len(custodians), pathlib.Path(out))
                seen += 1
    print(f"{seen} records")

def read_record(db, folder, shred, me, owner, row, custodians, out):  # 8
    n, record, time, header, digest, sealed_head = row
    need(h(header) == digest, "a header's digest")
    f = parse("record-header", header)
    need(len(f) == 10 and (f[0], f[1], f[3]) == (*owner, record) and int.from_bytes(f[5], "big", signed=True) == time, "a record's place")
    ids, seq, wrap = f[:4], number(f[4]), f[6]
    parts = [(number(f[9][i:i + 8]), number(f[9][i + 8:i + 16]), f[9][i + 16:i + 48]) for i in range(0, len(f[9]), 48)]
    epoch, = db.execute("SELECT header FROM epochs WHERE id = ?", (f[2],)).fetchone()
    body, check = signed(epoch)
    e = parse("epoch-header", body)
    need(e[:3] == f[:3] and number(e[7]) == me.suite, "an epoch's place")
    need(len(e) - 9 == len(f[7]) // 104 == len(f[8]) // 32 == custodians, "the number of custodians")
    need(db.execute("SELECT 1 FROM writers WHERE key = ?", (e[3],)).fetchone(), "an epoch's writer")
    check(e[3])
    secrets = me.hpke.decrypt(e[8], me.private, enc("epoch-tenant", *e[:4], e[7], e[4], e[5]))
    chain, index_key = secrets[:32], secrets[32:]
    for _ in range(seq):
        chain = exp(chain, enc("chain-next"))
    dek = cob(exp(chain, enc("chain-msg")), enc("dek-tenant", *ids, f[4]), wrap)
    def part(p, kind, sealed):
        slot = shred[32 * parts[p][0]:32 * parts[p][0] + 32]
        if slot == bytes(32):
            return None
        need(len(slot) == 32 and len(sealed) == parts[p][1] and h(sealed) == parts[p][2], f"sealed part {p}")
        key = exp(hmac.digest(slot, dek, "sha512"), enc("part-key", *ids, u(4, p)))
        return cob(key, enc("part", *ids, u(4, p), bytes([kind])), sealed)

    plain, name = part(0, 0, sealed_head), str(uuid.UUID(bytes=record))
    if plain is None:
        return print(name, "erased")
    size = number(plain[:4])
    need(len(plain) == padded(4 + size) and not any(plain[4 + size:]), "a head's padding")
    head = read_head(plain[4:4 + size])
    told = [(coblen(padded(i["len"])), i["sealed"]) for i in head["parts"]]
    need(told == [p[1:] for p in parts[1:]], "the head's parts")
    need(time == (head["ingested"] if head["start"] is None else head["start"]), "the listing time")
    for field, value in {i for _, _, identifiers in head["subjects"] for i in identifiers}:  # 5.2
        for counter in range(1 << 14):
            token = hmac.digest(index_key, enc("token", FIELDS[field], value.encode(), u(4, counter)), "sha256")[:16]
            found = db.execute("SELECT record FROM tokens WHERE token = ? AND epoch = (SELECT n FROM epochs WHERE id = ?)", (token, f[2])).fetchone()
            need(found and found[0] <= n, "the index")
            if found[0] == n:
                break
    (out / name).mkdir(parents=True, exist_ok=True)
    for p, info in enumerate(head["parts"], 1):
        inline = db.execute("SELECT body FROM parts WHERE at = ?", (n << 16 | p,)).fetchone() if parts[p][1] <= 65536 else None
        sealed = inline[0] if inline else (folder / "objects" / f[2].hex() / f"{record.hex()}.{p}").read_bytes()
        plain = part(p, info["kind"], sealed)
        if plain is not None:
            label = re.sub(r"[^A-Za-z0-9._-]", "_", info["name"] or KINDS[info["kind"]])
            (out / name / f"{p}-{label}").write_bytes(plain[:info["len"]])
    print(name, time, head["channel"], *(f"{KINDS[i['kind']]}:{i['len']}" for i in head["parts"]))

if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
