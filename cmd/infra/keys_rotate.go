package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

func (a *app) keysRotateCommand() *cobra.Command {
	var (
		f                 editFlags
		overlap, life, as string
	)
	cmd := &cobra.Command{
		Use:   "rotate NAME",
		Short: "Make a key that takes over from another",
		Long: `Make an access key for the user and the destination of another one, commit its hash,
and print the key on stdout, this once. With -q nothing else is printed.

The old key stays good for the overlap, or until it was to end if that is sooner:
time to put the new one where it is used. The new key is called like the old one
with the day after it, or as --as says, and is good for as long as the old one was.
"infra keys remove" removes the old one, now or once it has ended.

With --overlap 0 nothing overlaps: the key keeps its name, the old secret is good for
nothing from now on, and its id stays in revoked.yaml. So it is, too, where the old
key has ended already or is revoked.`,
		Example: `  infra keys rotate example-connector
  infra keys rotate example-connector --overlap 7d --expiry 90d
  infra keys rotate ci --overlap 0 -q | gh secret set INFRA_ACCESS_KEY`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(keyNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := rotation{name: args[0], as: as, life: life, now: a.now().UTC().Truncate(time.Second)}
			switch overlap {
			case "0":
				if as != "" {
					return usage(cmd, "--as beside --overlap 0, with which the key keeps its name")
				}
			default:
				d, err := duration(overlap)
				if err != nil {
					return fmt.Errorf("--overlap: %w", err)
				}
				r.until = r.now.Add(d)
			}
			return a.makeKey(cmd.Context(), f, r.propose)
		},
	}
	cmd.Flags().StringVar(&overlap, "overlap", "24h", "the old key stays good for this long: 24h, 7d, or 0")
	cmd.Flags().StringVar(&life, "expiry", "", "the new key is good for this long: 8760h, 90d, 2w, or never (default: as long as the old one)")
	cmd.Flags().StringVar(&as, "as", "", "the `name` of the new key")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

// A rotation is how one key takes over from another.
type rotation struct {
	name  string    // of the old key
	as    string    // the name of the new one; empty: made from the old one
	life  string    // of the new one; empty: that of the old one
	now   time.Time // in whole seconds
	until time.Time // the old one is good; zero: not at all
}

func (r rotation) propose(files fs.FS, s *schema.Snapshot, minted auth.Key) (proposal, error) {
	i := slices.IndexFunc(s.Keys, func(k schema.Key) bool { return k.Name == r.name })
	if i < 0 {
		return proposal{}, noSuchKey(s, r.name, "infra keys rotate ")
	}
	old := s.Keys[i]
	if next := r.heir(s, old); next != "" && r.as == "" {
		return proposal{}, hint(fmt.Errorf("key %s has taken over from %s already", next, old.Name),
			"infra keys rotate %s; or infra keys remove %s ends the old one", shell(next), shell(old.Name))
	}
	k := schema.Key{Name: cmp.Or(r.as, r.name), ID: minted.ID, Hash: minted.Hash(), Created: r.now}
	if r.as == "" && !r.until.IsZero() && keyState(s, old, r.now) == "valid" {
		k.Name = successor(s, r.name, r.now)
	}
	var err error
	if k.Expires, err = r.expires(old); err != nil {
		return proposal{}, err
	}
	edit, err := schema.RotateKey(files, r.name, k, r.until)
	if errors.Is(err, schema.ErrKeyNameInUse) {
		return proposal{}, hint(fmt.Errorf("there is a key %q already", k.Name), "take another name for --as")
	}
	if err != nil {
		return proposal{}, err
	}
	return rotated(edit), nil
}

// rotated says what a rotation comes to.
func rotated(edit schema.Edit) proposal {
	k, old := edit.Key, edit.Replaced
	where := ""
	if k.Destination != "" {
		where = " on " + k.Destination
	}
	p := proposal{edit: edit}
	if k.Name == old.Name {
		p.subject = fmt.Sprintf("keys: rotate %s%s", k.Name, ending(k.Expires))
		p.said = fmt.Sprintf("key %s has another secret and is good for %s%s%s; the old one is good for nothing", k.Name, k.User, where, ending(k.Expires))
		return p
	}
	p.subject = fmt.Sprintf("keys: %s takes over from %s", k.Name, old.Name)
	p.said = fmt.Sprintf("key %s is good for %s%s%s, and %s%s", k.Name, k.User, where, ending(k.Expires), old.Name, ending(old.Expires))
	return p
}

// expires is when the new key ends.
func (r rotation) expires(old schema.Key) (time.Time, error) {
	life := r.life
	switch {
	case life == "" && old.Expires.IsZero():
		life = "never"
	case life == "" && !old.Created.IsZero() && old.Expires.After(old.Created):
		return r.now.Add(old.Expires.Sub(old.Created)), nil
	}
	return keyEnd(cmp.Or(life, keyLife), r.now)
}

// heir is the newest valid key that took over from another one; "" where none did. What
// is left of the old one would be a short life for the next.
func (r rotation) heir(s *schema.Snapshot, old schema.Key) (name string) {
	newest := old
	for _, k := range s.Keys {
		rest, ok := strings.CutPrefix(k.Name, dayAtEnd.ReplaceAllString(old.Name, ""))
		if ok && k.User == old.User && k.Destination == old.Destination && dayAtEnd.FindString(rest) == rest &&
			followed(k, newest) > 0 && keyState(s, k, r.now) == "valid" {
			name, newest = k.Name, k
		}
	}
	return name
}

// followed orders keys of one line as they took over, also within one second.
func followed(x, y schema.Key) int {
	return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(len(x.Name), len(y.Name)), cmp.Compare(x.Name, y.Name))
}

// successor is the name of the key that takes over: the old one's, with the day.
func successor(s *schema.Snapshot, name string, now time.Time) string {
	first := dayAtEnd.ReplaceAllString(name, "") + now.Format("-20060102")
	next := first
	for n := 2; slices.Contains(keyNames(s), next); n++ {
		next = fmt.Sprintf("%s-%d", first, n)
	}
	return next
}

var dayAtEnd = regexp.MustCompile(`-20\d{6}(-\d+)?$`)
