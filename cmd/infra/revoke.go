package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) revokeCommand() *cobra.Command {
	var (
		f     = editFlags{urgent: true}
		w     whom
		why   string
		force bool
	)
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Take everything from somebody, at once",
		Long: `Take everything from a person, from a group (-g), or from an access key, given by
its name or id, and push that at once: an entry in revoked.yaml counts whatever
else the repository says. It is for the emergency. No brake holds it, no rule
refuses it, and errors in other files do not stop it.

It goes to the branch that changes are meant for, whatever "changes:" in infra.yaml
says and whichever branch is checked out. Where there is no remote it is committed
here, and the command fails, since no server may know of it; --no-push says that
this is meant.

The grants stay where they are, and give nothing until "infra unrevoke". What a
person has through a group of the identity provider cannot be taken from them
alone, as RBAC cannot deny: the command then writes and pushes the revocation,
names each such grant with the command that removes it, and fails.

A name that no file has is refused, as it is more likely misspelt; --force
revokes it all the same.`,
		Example: `  infra revoke mallory@example.com --reason "laptop stolen"
  infra revoke -g contractors
  infra revoke example-connector --reason "key in a build log"`,
		Args:              arguments,
		ValidArgsFunction: a.completeWhom(&w, revocable),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := w.is(args[0]); err != nil {
				return err
			}
			return a.revoke(cmd.Context(), f, w, why, force)
		},
	}
	w.register(cmd)
	cmd.Flags().StringVar(&why, "reason", "", "why, on one line: a ticket, an incident")
	cmd.Flags().BoolVar(&force, "force", false, "revoke a name that no file has")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

// revoke writes a revocation, sees to it that it arrives, and fails where it
// does not take everything.
func (a *app) revoke(ctx context.Context, f editFlags, w whom, why string, force bool) error {
	f.push = !f.stays() && f.branch == "" && !f.proposes()
	var left error
	propose := func(files fs.FS, s *schema.Snapshot) (proposal, error) {
		v, err := w.in(s)
		switch {
		case err != nil && force:
			v = w.unknown()
		case err != nil:
			return proposal{}, err
		}
		v.Reason = why
		left = a.remaining(s, v)
		return revokeIn(files, s, v)
	}
	root, err := a.root()
	if err != nil {
		return err
	}
	c, err := a.openToEdit(ctx, root, f)
	if err != nil {
		return err
	}
	defer c.unlock()
	_, err = a.editIn(ctx, c, f, propose)
	if errors.Is(err, errNoRemote) && f.push {
		f.push, f.noPush = false, true
		if _, err = a.editIn(ctx, c, f, propose); err == nil {
			return unpushed(left)
		}
	}
	if err != nil {
		return err
	}
	return left
}

// unpushed is the error for a revocation that is committed here and nowhere else;
// left is what it does not take, or nil.
func unpushed(left error) error {
	fact := fmt.Errorf("this is NOT pushed: %w", errNoRemote)
	way := "git push it to where the server reads it; where that follows this very folder, say --no-push"
	if left == nil {
		return hint(fact, "%s", way)
	}
	return hint(fmt.Errorf("%w; and %w", fact, left), "%s. Then %s", way, remedy(left))
}

func revokeIn(files fs.FS, s *schema.Snapshot, v schema.Revocation) (proposal, error) {
	edit, err := schema.Revoke(files, v)
	if err != nil {
		return proposal{}, err
	}
	name := revokedName(s, v)
	p := proposal{edit: edit, subject: "revoked: add " + name, said: name + " is revoked"}
	switch edit.Outcome {
	case schema.Changed:
		p.subject, p.said = fmt.Sprintf("revoked: %s: %s", name, v.Reason), fmt.Sprintf("%s is revoked, because: %s", name, v.Reason)
	case schema.Unchanged:
		p.said = name + " is revoked already"
	}
	return p, nil
}

func (a *app) unrevokeCommand() *cobra.Command {
	var (
		f     editFlags
		w     whom
		force bool
	)
	cmd := &cobra.Command{
		Use:   "unrevoke NAME",
		Short: "Take a revocation back",
		Long: `Take a revocation of a person, a group (-g) or an access key back: what the
repository grants them counts again. This gives access, so it is an edit like any
other: the rules are asked, and "changes:" says where it goes.

A key that was removed stays dead: its id stays in revoked.yaml, so that no old
branch brings it back. What is not revoked cannot be taken back: the command
fails, and with --force it succeeds.`,
		Example: `  infra unrevoke mallory@example.com
  infra unrevoke -g contractors`,
		Args:              arguments,
		ValidArgsFunction: a.completeWhom(&w, revoked),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := w.is(args[0]); err != nil {
				return err
			}
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return unrevoke(files, s, w, force)
			})
			return err
		},
	}
	w.register(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "succeed where it is not revoked")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

func unrevoke(files fs.FS, s *schema.Snapshot, w whom, force bool) (proposal, error) {
	v, err := w.in(s)
	if err != nil {
		v = w.unknown()
	}
	name := revokedName(s, v)
	if v.Key != "" && s.Revoked.Key(v.Key) && keyWith(s, v.Key) == nil {
		return proposal{}, hint(fmt.Errorf("%s was removed, so it stays dead: no old branch is to bring it back", name), "infra keys add NAME USER makes another")
	}
	edit, err := schema.Unrevoke(files, v)
	switch {
	case errors.Is(err, schema.ErrNotRevoked) && force:
		return proposal{said: name + " is not revoked"}, nil
	case errors.Is(err, schema.ErrNotRevoked):
		return proposal{}, notRevoked(s, w, name)
	case err != nil:
		return proposal{}, err
	}
	return proposal{edit: edit, subject: "revoked: remove " + name, said: name + " is no longer revoked"}, nil
}

// notRevoked is the error for what is not revoked: what is, and the command that works.
func notRevoked(s *schema.Snapshot, w whom, name string) error {
	all := revoked(w, s)
	fact := name + " is not revoked"
	if len(all) > 0 {
		fact += ": there are " + strings.Join(all, ", ")
	}
	return nearest(errors.New(fact), w.name, all, "revoked.yaml says who and what is")
}
