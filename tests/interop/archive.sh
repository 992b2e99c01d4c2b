#!/usr/bin/env bash
# A bag as an archive before programs that nobody here wrote. Arguments: our example `archive`, a folder of files, a
# folder to work in, a venv with `bagit`.
set -euo pipefail
ours=$(realpath "$1") files=$(realpath "$2") venv=$(realpath "$4") work=$(realpath "$3")/archive
refused() { if "${@:2}" >/dev/null 2>&1; then echo "NOT REFUSED: $1" && exit 1; else echo "refused: $1"; fi; }
mkdir -p "$work/gnu" "$work/python" && cd "$work"
export SOURCE_DATE_EPOCH=1710605360
"$ours" pack "$files" bag-1.tar

tar -tf bag-1.tar | LC_ALL=C sort -c
echo "tar: names in the order of their bytes"
tar -C gnu -xf bag-1.tar
again() { # options
    tar -tf bag-1.tar | tar -C gnu -c --no-recursion --files-from=- --mtime=@1710605360 --owner=0 --group=0 --numeric-owner \
        --format=ustar --mode=0600 "$@"
}
again | cmp - bag-1.tar
echo "tar: the same $(stat -c %s bag-1.tar) bytes"
diff -r "$files" gnu/bag-1/data
echo "diff: the same files"
"$venv/bin/bagit.py" --validate --quiet gnu/bag-1
echo "bagit.py: valid"
(cd gnu/bag-1 && for sum in sha256 sha512; do ${sum}sum -c --quiet --strict manifest-$sum.txt tagmanifest-$sum.txt; done)
echo "sha256sum, sha512sum: all $(wc -l <gnu/bag-1/manifest-sha256.txt) files"
"$venv/bin/python" - bag-1.tar python <<'PY'
import sys, tarfile
with tarfile.open(sys.argv[1], "r:") as archive:
    members = archive.getmembers()
    assert members and all(m.isfile() and (m.mode, m.uid, m.gid, m.mtime) == (0o600, 0, 0, 1710605360) for m in members)
    archive.extractall(sys.argv[2], filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(sys.argv[2])
print(f"Python's tarfile: {len(members)} files")
PY
diff -r gnu python

"$ours" unpack bag-1.tar mine
diff -r gnu/bag-1 mine
again >theirs.tar
"$ours" unpack theirs.tar theirs
for format in posix gnu v7; do
    again --format=$format >other.tar
    refused "an archive in the format $format, by us" "$ours" unpack other.tar other
done
[[ ! -e other && ! -e other.part ]]
printf X | dd of=theirs.tar bs=1 seek=515 conv=notrunc status=none
refused "a changed bag, by us" "$ours" unpack theirs.tar changed
