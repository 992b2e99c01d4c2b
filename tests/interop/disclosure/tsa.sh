#!/usr/bin/env bash
# Makes a time-stamp authority (RFC 3161) of OpenSSL in a new folder: `openssl ts -reply -config tsa.cnf` there answers, and its
# root certificate is tsa.pem. Argument: the folder.
set -euo pipefail
mkdir -p "$1" && cd "$1"
cat >tsa.cnf <<'CNF'
[tsa]
default_tsa = own
[own]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
certs = tsa.pem
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
CNF
openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out tsa.pem -days 30 -subj /CN=root 2>root.said
openssl req -newkey rsa:2048 -nodes -keyout signer.key -out signer.csr -subj /CN=tsa 2>signer.said
echo 'extendedKeyUsage = critical, timeStamping' >signer.ext
openssl x509 -req -in signer.csr -CA tsa.pem -CAkey root.key -CAcreateserial -extfile signer.ext -days 30 -out signer.pem 2>>signer.said
echo 01 >serial
