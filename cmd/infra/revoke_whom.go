package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

// whom is what revoke and unrevoke are given: a person, unless a flag says
// otherwise or only a key is called so.
type whom struct {
	name           string
	isGroup, isKey bool
}

func (w *whom) register(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&w.isGroup, "group", "g", false, "NAME is a group")
	cmd.Flags().BoolVar(&w.isKey, "key", false, "NAME is an access key or the id of one, even where a person is called so")
	cmd.MarkFlagsMutuallyExclusive("group", "key")
}

// is takes the name, unless it is a secret: that is never repeated, and never
// written anywhere.
func (w *whom) is(name string) error {
	if _, _, found := auth.Find([]byte(name)); found {
		err := errors.New("this is an access key with its secret, which your shell may remember now: give its name or id")
		if k, bad := auth.Parse(name); bad == nil {
			return hint(err, "infra revoke --key %s", k.ID)
		}
		return hint(err, "infra keys list -o wide shows the ids")
	}
	w.name = name
	return nil
}

// in is what the name means in a repository, or an error where it has none such.
func (w whom) in(s *schema.Snapshot) (schema.Revocation, error) {
	who := subjectOf(w.name, w.isGroup)
	key := keyCalled(s, w.name)
	switch {
	case w.isKey && key == "":
		err := fmt.Errorf("there is no key with the name or id %q", w.name)
		return schema.Revocation{}, nearest(err, w.name, keyNames(s), "infra keys list -o wide; --force revokes an id that no file has", "infra revoke --key ")
	case w.isKey || !w.isGroup && key != "" && !s.Knows(who):
		return schema.Revocation{Key: key}, nil
	case s.Knows(who) || s.Revoked.Subject(who):
		return w.unknown(), nil
	}
	if err := who.Validate(); err != nil {
		return schema.Revocation{}, err
	}
	if err := mistaken(s, who, "infra revoke "+subjectArguments(other(who))); err != nil {
		return schema.Revocation{}, err
	}
	words, flag := append(append(people(s), declaredUsers(s)...), keyNames(s)...), ""
	if w.isGroup {
		words, flag = groups(s), "-g "
	}
	return schema.Revocation{}, nearest(fmt.Errorf("no file names %s", who), w.name, words,
		"if the name is right: infra revoke --force "+subjectArguments(who), "infra revoke "+flag)
}

// unknown is what the name means where no file has it.
func (w whom) unknown() schema.Revocation {
	switch {
	case w.isGroup:
		return schema.Revocation{Group: w.name}
	case w.isKey:
		return schema.Revocation{Key: w.name}
	}
	return schema.Revocation{User: w.name}
}

// completeWhom lets the shell complete NAME.
func (a *app) completeWhom(w *whom, words func(whom, *schema.Snapshot) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		return a.completeArguments(func(s *schema.Snapshot) []string { return words(*w, s) })(cmd, args, toComplete)
	}
}

// revocable are those who have something, and whom nothing revokes yet.
func revocable(w whom, s *schema.Snapshot) []string {
	var all []string
	switch {
	case w.isGroup:
		all = groups(s)
	case w.isKey:
		all = keyNames(s)
	default:
		all = slices.Concat(people(s), declaredUsers(s), keyNames(s))
	}
	gone := set{}
	for _, v := range s.Revoked.Revocations {
		gone[bareName(s, v)] = true
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(n string) bool { return gone[n] })
}

// revoked are those whom a revocation names.
func revoked(w whom, s *schema.Snapshot) []string {
	out := set{}
	for _, v := range s.Revoked.Revocations {
		if (v.Group != "") == w.isGroup && (v.Key != "" || !w.isKey) {
			out[bareName(s, v)] = true
		}
	}
	return out.sorted()
}

// keyCalled is the id of the key with a name or id that the repository has or
// revokes; "" where it has none such.
func keyCalled(s *schema.Snapshot, name string) string {
	for _, k := range s.Keys {
		if k.Name == name || k.ID == name {
			return k.ID
		}
	}
	if s.Revoked.Key(name) {
		return name
	}
	return ""
}

func keyWith(s *schema.Snapshot, id string) *schema.Key {
	i := slices.IndexFunc(s.Keys, func(k schema.Key) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Keys[i]
}

// revokedName is what a revocation names, as people call it.
func revokedName(s *schema.Snapshot, v schema.Revocation) string {
	if k := keyWith(s, v.Key); k != nil {
		return "key " + k.Name
	}
	return v.String()
}

// bareName is the same as a command takes it.
func bareName(s *schema.Snapshot, v schema.Revocation) string {
	if k := keyWith(s, v.Key); k != nil {
		return k.Name
	}
	return cmp.Or(v.User, v.Group, v.Key)
}
