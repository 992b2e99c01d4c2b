// Judges a ledger's export with Go's golang.org/x/mod/sumdb/note and tlog. Argument: the export.
// Every check is also made on a twin with something changed, which must be refused.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("verify.go: ")
	export := os.Args[1]
	vkey := strings.TrimSuffix(string(read(export, "log.vkey")), "\n")
	signed := read(export, "checkpoint")
	newest, err := head(signed, vkey)
	must("the checkpoint", err)
	for _, line := range []int{1, 2, 4} {
		_, err = head(altered(signed, line), vkey)
		refused("a changed checkpoint, by note", err)
	}
	fmt.Printf("x/mod note: the checkpoint of %d entries\n", newest.N)

	leaves, err := entries(export, newest.N)
	must("the entries", err)
	must("the root of the entries", rooted(leaves, newest))
	twin := append([][]byte{}, leaves...)
	twin[len(twin)-1] = append([]byte{1}, twin[len(twin)-1][1:]...)
	refused("a changed entry, by tlog", rooted(twin, newest))
	must("the tiles", tiled(export, leaves, newest, ""))
	all := tiles(newest.N)
	for _, tile := range []tlog.Tile{all[0], all[len(all)-1]} {
		refused("a changed tile, by tlog", tiled(export, leaves, newest, place(tile)))
	}
	fmt.Printf("x/mod tlog: %d entries and %d tiles hash to it\n", len(leaves), len(all))

	proofs, _ := filepath.Glob(filepath.Join(export, "receipts", "*.tlog-proof"))
	sort.Strings(proofs)
	if len(proofs) == 0 {
		log.Fatal("no receipts")
	}
	reader := tlog.TileHashReader(newest, files{export, ""})
	for _, name := range proofs {
		proof, err := os.ReadFile(name)
		must(name, err)
		seq, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(name), ".tlog-proof"), 10, 64)
		must(name, err)
		must(name, included(proof, vkey, seq, leaves, newest, reader))
		if newest.N > 1 {
			refused("another entry's proof", included(proof, vkey, (seq+1)%newest.N, leaves, newest, reader))
		}
		for line := range bytes.Split(bytes.TrimSuffix(proof, []byte("\n")), []byte("\n")) {
			if changed := altered(proof, line); changed != nil && !byAnother(proof, line, vkey) {
				refused(fmt.Sprintf("%s, line %d changed", name, line), included(changed, vkey, seq, leaves, newest, reader))
			}
		}
	}
	fmt.Printf("x/mod tlog: %d receipts, and their checkpoints are the newest's past\n", len(proofs))
	fmt.Println("refused: a changed checkpoint, entry, tile, and every line of each tlog-proof changed, by x/mod")
}

// The tree head of a checkpoint that the log has signed, its name being the origin.
func head(signed []byte, vkey string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, errors.New("not the three lines of a checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || tree.N < 1 || lines[1] != strconv.FormatInt(tree.N, 10) {
		return tree, errors.New("not a size")
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// Where the specification puts a tile: tlog's own path has the height in it.
func place(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

// The tiles of a tree. Older versions of tlog list every partial tile on the way to the last.
func tiles(size int64) (all []tlog.Tile) {
	for _, tile := range tlog.NewTiles(8, 0, size) {
		if width := size>>(8*uint(tile.L)) - tile.N<<8; width >= 256 || int64(tile.W) == width {
			all = append(all, tile)
		}
	}
	return all
}

func entries(export string, size int64) (leaves [][]byte, err error) {
	for _, tile := range tiles(size) {
		if tile.L != 0 {
			continue
		}
		tile.L = -1
		bundle, err := os.ReadFile(filepath.Join(export, place(tile)))
		if err != nil {
			return nil, err
		}
		for ; len(bundle) > 0; tile.W-- {
			if len(bundle) < 130 || binary.BigEndian.Uint16(bundle) != 128 {
				return nil, errors.New("not an entry of 128 bytes")
			}
			leaves, bundle = append(leaves, bundle[2:130]), bundle[130:]
		}
		if tile.W != 0 {
			return nil, errors.New("a bundle is too short or too long")
		}
	}
	return leaves, nil
}

func rooted(leaves [][]byte, tree tlog.Tree) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(places []int64) (hashes []tlog.Hash, err error) {
		for _, place := range places {
			hashes = append(hashes, stored[place])
		}
		return hashes, nil
	})
	for n, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(n), leaf, reader)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err == nil && root != tree.Hash {
		err = errors.New("another root")
	}
	return err
}

type files struct{ export, twin string }

func (f files) Height() int { return 8 }
func (f files) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range tiles {
		hashes, err := os.ReadFile(filepath.Join(f.export, place(tile)))
		if err != nil {
			return nil, err
		}
		if len(hashes) != tile.W*32 {
			return nil, errors.New("a tile is too short or too long")
		}
		if place(tile) == f.twin {
			hashes[7] ^= 1
		}
		all = append(all, hashes)
	}
	return all, nil
}
func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

// All tiles are there, agree with the checkpoint, and hold the hashes of the entries.
func tiled(export string, leaves [][]byte, tree tlog.Tree, twin string) error {
	from := files{export, twin}
	reader := tlog.TileHashReader(tree, from)
	for _, tile := range tiles(tree.N) {
		stored, err := from.ReadTiles([]tlog.Tile{tile})
		if err != nil {
			return err
		}
		data, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, stored[0]) {
			return errors.New("another tile")
		}
		for i := 0; tile.L == 0 && i < tile.W; i++ {
			if hash := tlog.RecordHash(leaves[tile.N*256+int64(i)]); !bytes.Equal(hash[:], data[i*32:i*32+32]) {
				return errors.New("another entry's hash")
			}
		}
	}
	return nil
}

// A C2SP tlog-proof of entry seq, against a checkpoint that the newest one extends.
func included(proof []byte, vkey string, seq int64, leaves [][]byte, newest tlog.Tree, reader tlog.HashReader) error {
	cut := bytes.Index(proof, []byte("\n\n"))
	if cut < 0 {
		return errors.New("no empty line")
	}
	lines := strings.Split(string(proof[:cut]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 {
		return errors.New("not a tlog-proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		if lines[0] != "extra "+base64.StdEncoding.EncodeToString(leaves[seq]) || len(lines) < 2 {
			return errors.New("the extra line is not the entry")
		}
		lines = lines[1:]
	}
	if lines[0] != fmt.Sprintf("index %d", seq) {
		return errors.New("another index")
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	tree, err := head(proof[cut+2:], vkey)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, seq, tlog.RecordHash(leaves[seq])); err != nil {
		return err
	}
	past, err := tlog.ProveTree(newest.N, tree.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(past, newest.N, newest.Hash, tree.N, tree.Hash)
}

// A copy in which one character near the end of a line is another one; nil for an empty line.
func altered(file []byte, line int) []byte {
	lines := bytes.Split(append([]byte{}, file...), []byte("\n"))
	at := len(lines[line]) - 5
	if len(lines[line]) < 20 {
		at += 4
	}
	if at < 0 {
		return nil
	}
	if lines[line][at] == '1' {
		lines[line][at] = '2'
	} else {
		lines[line][at] = '1'
	}
	return bytes.Join(lines, []byte("\n"))
}

// A signature line that another than the log has written: nobody here knows its key.
func byAnother(file []byte, line int, vkey string) bool {
	text := string(bytes.Split(file, []byte("\n"))[line])
	return strings.HasPrefix(text, "— ") && !strings.HasPrefix(text, "— "+strings.Split(vkey, "+")[0]+" ")
}

func read(export, name string) []byte {
	data, err := os.ReadFile(filepath.Join(export, name))
	must(name, err)
	return data
}

func must(what string, err error) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func refused(what string, err error) {
	if err == nil {
		log.Fatalf("NOT REFUSED: %s", what)
	}
}
