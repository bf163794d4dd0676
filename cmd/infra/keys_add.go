package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

// keyLife is how long a key is good for where nobody says it: a year.
const keyLife = "8760h"

func (a *app) keysAddCommand() *cobra.Command {
	var (
		f                 editFlags
		destination, life string
	)
	cmd := &cobra.Command{
		Use:   "add NAME USER",
		Short: "Make an access key and show it once",
		Long: `Make an access key for USER, which is "connector" or a person, commit its hash,
and print the key on stdout. It is shown this once: nobody can get it back. With
-q nothing else is printed.

A key with --destination is good for that cluster alone.`,
		Example: `  infra keys add example-connector connector
  infra keys add example-connector connector --destination example --expiry 90d
  infra keys add ci fisher@example.com -q | gh secret set INFRA_ACCESS_KEY`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(nil, keyUsers),
		RunE: func(cmd *cobra.Command, args []string) error {
			now := a.now().UTC().Truncate(time.Second)
			k := schema.Key{Name: args[0], User: args[1], Destination: destination, Created: now}
			var err error
			if k.Expires, err = keyEnd(life, now); err != nil {
				return err
			}
			return a.makeKey(cmd.Context(), f, func(files fs.FS, _ *schema.Snapshot, minted auth.Key) (proposal, error) {
				k.ID, k.Hash = minted.ID, minted.Hash()
				return addKey(files, k)
			})
		},
	}
	cmd.Flags().StringVar(&destination, "destination", "", "good for this `destination` only")
	cmd.Flags().StringVar(&life, "expiry", keyLife, "good for this long: 8760h, 90d, 2w, or never")
	f.register(cmd)
	f.registerPush(cmd)
	a.complete(cmd, "destination", destinations)
	return cmd
}

// makeKey makes an edit with a new key in it, and shows the key, this once, when
// that is done.
func (a *app) makeKey(ctx context.Context, f editFlags, propose func(fs.FS, *schema.Snapshot, auth.Key) (proposal, error)) error {
	f.hasOutput = true
	minted, err := auth.Mint(nil)
	if err != nil {
		return err
	}
	became, err := a.edit(ctx, f, func(files fs.FS, s *schema.Snapshot) (proposal, error) { return propose(files, s, minted) })
	if became != done {
		return err
	}
	// Also where only its pull request could not be opened: it is shown this once.
	_, printErr := fmt.Fprintln(a.stdout, minted.Text())
	return errors.Join(err, printErr)
}

// keyEnd is when a key ends that is good for so long; zero: never.
func keyEnd(life string, now time.Time) (time.Time, error) {
	if life == "0" || life == "never" {
		return time.Time{}, nil
	}
	d, err := duration(life)
	if err != nil {
		return time.Time{}, fmt.Errorf("--expiry: %w", err)
	}
	return now.Add(d), nil
}

func addKey(files fs.FS, k schema.Key) (proposal, error) {
	edit, err := schema.AddKey(files, k)
	if errors.Is(err, schema.ErrKeyNameInUse) {
		return proposal{}, hint(fmt.Errorf("there is a key %q already, and a key is shown only when it is made", k.Name),
			"take another name, or infra keys remove %s first", shell(k.Name))
	}
	if err != nil {
		return proposal{}, err
	}
	where := ""
	if k.Destination != "" {
		where = " on " + k.Destination
	}
	return proposal{
		edit:    edit,
		subject: fmt.Sprintf("keys: add %s for %s%s%s", k.Name, k.User, where, ending(k.Expires)),
		said:    fmt.Sprintf("key %s is good for %s%s%s", k.Name, k.User, where, ending(k.Expires)),
	}, nil
}
