// Judges a signed note with Go's golang.org/x/mod/sumdb/note. Arguments: the note, and for each signature that it must
// bear, and no other, the name and a file with the key in hexadecimal.
// The check is also made on twins with something changed, which must be refused.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("note.go: ")
	signed, err := os.ReadFile(os.Args[1])
	must(err)
	keys := map[string]ed25519.PublicKey{}
	for rest := os.Args[2:]; len(rest) > 1; rest = rest[2:] {
		digits, err := os.ReadFile(rest[1])
		must(err)
		key, err := hex.DecodeString(strings.TrimSpace(string(digits)))
		must(err)
		keys[rest[0]] = key
	}
	must(judge(signed, keys))

	lines := bytes.Split(bytes.TrimSuffix(signed, []byte("\n")), []byte("\n"))
	for at := range lines {
		twin := append([][]byte{}, lines...)
		twin[at] = altered(lines[at])
		refused(fmt.Sprintf("%s with line %d changed", os.Args[1], at+1), twin, keys)
		refused(fmt.Sprintf("%s without line %d", os.Args[1], at+1), append(twin[:at:at], lines[at+1:]...), keys)
	}
	for name := range keys {
		others := map[string]ed25519.PublicKey{}
		for other, key := range keys {
			others[other] = key
		}
		another, _, err := ed25519.GenerateKey(nil)
		must(err)
		others[name] = another
		refused("another key of "+name, lines, others)
	}
	fmt.Printf("x/mod note: %s is signed by %d, and none of its lines can be another\n", os.Args[1], len(keys))
}

func judge(signed []byte, keys map[string]ed25519.PublicKey) error {
	var verifiers []note.Verifier
	for name, key := range keys {
		vkey, err := note.NewEd25519VerifierKey(name, key)
		if err != nil {
			return err
		}
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err == nil && (len(opened.Sigs) != len(keys) || len(opened.UnverifiedSigs) > 0) {
		err = errors.New("not signed by these alone")
	}
	return err
}

// Another character near the end of a line, or one more.
func altered(line []byte) []byte {
	twin := append([]byte{}, line...)
	if len(twin) < 20 {
		return append(twin, '1')
	}
	if at := len(twin) - 9; twin[at] == '1' {
		twin[at] = '2'
	} else {
		twin[at] = '1'
	}
	return twin
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func refused(what string, lines [][]byte, keys map[string]ed25519.PublicKey) {
	if judge(append(bytes.Join(lines, []byte("\n")), '\n'), keys) == nil {
		log.Fatalf("NOT REFUSED: %s", what)
	}
}
