// Package auth makes and checks access keys, and recognises one in a text.
//
// A key reads
//
//	infra1_<id>_<secret><checksum>
//
// where id (10 characters), secret (43) and checksum (6) are of the 62 letters and
// digits of ASCII. The id is public: it finds the key in the repository. The secret has
// 256 random bits and is shown once; the repository keeps the SHA-256 of it,
// which is enough for a secret that nobody chose and nobody can guess, and which
// may stay in Git for ever. The checksum, a CRC-32 (IEEE 802.3), refuses a typo
// without asking anybody and lets a scanner tell a key from a likeness.
//
// This package knows no clock and no repository: whether a key has expired, is
// revoked or bound elsewhere is decided by whoever found it.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"regexp"
	"strings"
)

const (
	prefix    = "infra1_"
	alphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idLen     = 10
	secretLen = 43 // 62^43 > 2^256
	sumLen    = 6  // 62^6 > 2^32
	domain    = "infra-key-v1\x00"
)

// A Key is an access key with its secret. Print it with Text; its String, and
// so every log line and error that it gets into, shows the id alone.
type Key struct {
	ID     string
	secret string
}

// ErrNotAKey is the error of Parse.
var ErrNotAKey = errors.New("not an access key: it does not read infra1_..., or a character of it is wrong")

// Mint makes a key from a source of random bytes; nil is crypto/rand's.
func Mint(random io.Reader) (Key, error) {
	if random == nil {
		random = rand.Reader
	}
	id := make([]byte, idLen)
	for i := range id {
		n, err := rand.Int(random, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return Key{}, fmt.Errorf("minting an access key: %w", err)
		}
		id[i] = alphabet[n.Int64()]
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return Key{}, fmt.Errorf("minting an access key: %w", err)
	}
	return Key{ID: string(id), secret: base62(new(big.Int).SetBytes(secret), secretLen)}, nil
}

// Parse reads the text of a key. White space around it is passed over, as it
// comes from files and clipboards.
func Parse(text string) (Key, error) {
	text = strings.TrimSpace(text)
	if !whole.MatchString(text) {
		return Key{}, ErrNotAKey
	}
	rest := text[len(prefix):]
	k := Key{ID: rest[:idLen], secret: rest[idLen+1 : idLen+1+secretLen]}
	if k.Text() != text {
		return Key{}, ErrNotAKey
	}
	return k, nil
}

// Text is the key, secret and all.
func (k Key) Text() string {
	body := prefix + k.ID + "_" + k.secret
	return body + base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), sumLen)
}

// String hides the secret.
func (k Key) String() string { return prefix + k.ID + "_..." }

// GoString hides the secret.
func (k Key) GoString() string { return k.String() }

// Hash is what the repository keeps of a key: "sha256:" and hex.
func (k Key) Hash() string {
	sum := sha256.Sum256([]byte(domain + k.secret))
	return hashPrefix + hex.EncodeToString(sum[:])
}

const hashPrefix = "sha256:"

// nobody's hash is compared with where an id is unknown.
var nobody = hashPrefix + strings.Repeat("0", sha256.Size*2)

// Verify says whether a key is the one with this hash. It takes the same time
// whatever the answer is, and with an empty hash too, which no key has: give
// that for an id that is not known.
func Verify(k Key, hash string) bool {
	known := hash != ""
	if !known {
		hash = nobody
	}
	same := subtle.ConstantTimeCompare([]byte(k.Hash()), []byte(hash)) == 1
	return same && known
}

var (
	hashForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	idForm   = regexp.MustCompile(`^[0-9A-Za-z]{10}$`)
	anyKey   = regexp.MustCompile(`infra1_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}`)
	whole    = regexp.MustCompile(`^` + anyKey.String() + `$`)
)

// ValidHash says whether a text has the form of a hash.
func ValidHash(text string) bool { return hashForm.MatchString(text) }

// ValidID says whether a text has the form of a key's id.
func ValidID(text string) bool { return idForm.MatchString(text) }

// Find gives the place of the first thing in a text that has the form of an
// access key, right checksum or not: a key with a typo is still a secret.
func Find(text []byte) (start, end int, found bool) {
	loc := anyKey.FindIndex(text)
	if loc == nil {
		return 0, 0, false
	}
	return loc[0], loc[1], true
}

func base62(n *big.Int, width int) string {
	out := make([]byte, width)
	base, digit := big.NewInt(int64(len(alphabet))), new(big.Int)
	n = new(big.Int).Set(n)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}
