package schema

import (
	"fmt"

	"github.com/infrahq/infra/auth"
)

var keyKeys = []string{"name", "user", "id", "hash", "destination", "created", "expires"}

func (f *parsedFile) readKey(r *reader, n *node) {
	before := len(r.problems)
	k := Key{Pos: r.pos(n)}
	ok := r.mapping(n, "a key", keyKeys, func(key string, _, v *node) {
		switch key {
		case "name":
			k.Name = r.name(v, key, ValidateKeyName)
			if k.Name != "" && k.Name != stem(f.path) {
				r.errorf(r.pos(v), "key %s in the file of %s: it belongs in %s", quoted(k.Name), quoted(stem(f.path)), keyPath(k.Name))
			}
		case "user":
			k.User = r.name(v, key, ValidateUser)
		case "id":
			k.ID = r.name(v, key, validateKeyID)
		case "hash":
			k.Hash = r.name(v, key, validateHash)
		case "destination":
			k.Destination = r.name(v, key, ValidateDestination)
		case "created":
			k.Created = r.time(v, key)
		case "expires":
			k.Expires = r.time(v, key)
		}
	})
	if !ok {
		return
	}
	r.missing(n, "a key", "name", "user", "id", "hash")
	if k.Destination == InfraDestination {
		r.errorf(k.Pos, "a key for %q: that is the server itself, which every key is for", InfraDestination)
	}
	if len(r.problems) == before {
		f.keys = append(f.keys, k)
	}
}

// Validate says why a key cannot be added, or nil.
func (k Key) Validate() error {
	for _, err := range []error{ValidateKeyName(k.Name), ValidateUser(k.User), validateKeyID(k.ID), validateHash(k.Hash)} {
		if err != nil {
			return err
		}
	}
	if k.Destination != "" {
		return ValidateDestination(k.Destination)
	}
	return nil
}

func keyPath(name string) string { return "keys/" + name + ".yaml" }

func validateKeyID(id string) error {
	if !auth.ValidID(id) {
		return fmt.Errorf("id %s: the id of a key has 10 letters and digits", quoted(id))
	}
	return nil
}

func validateHash(hash string) error {
	if !auth.ValidHash(hash) {
		return fmt.Errorf("hash %s: the hash of a key is sha256: and 64 hexadecimal digits", quoted(hash))
	}
	return nil
}
