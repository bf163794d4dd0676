package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) mergeDriverCommand() *cobra.Command {
	markerSize := 7
	cmd := &cobra.Command{
		Use:   "merge-driver BASE OURS THEIRS PATH",
		Short: "Merge two versions of a file for git",
		Long: `Merge two versions of a file of an access repository by what they say, for git to
call: it gives %O, %A, %B and %P, and gets the result in place of OURS. Entries
that both sides added are both there; what one side changed or removed is so. What
the two contradict each other in stays a conflict, with exit code 1 and a
sentence that says what it is.

Whatever infra cannot merge by what it says is merged as git would have done it.`,
		Example: "  " + mergeSetting,
		Args:    arguments,
		Hidden:  true, // it is git that calls it
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.mergeDriver(cmd.Context(), mergeOf{base: args[0], ours: args[1], theirs: args[2], path: filepath.ToSlash(args[3]), markerSize: markerSize})
		},
	}
	cmd.Flags().IntVar(&markerSize, "marker-size", markerSize, "`length` of the marks around a conflict")
	return cmd
}

// A mergeOf is what git asks for: three files that hold the versions, and what
// they are versions of, as seen from the top of the work tree.
type mergeOf struct {
	base, ours, theirs string
	path               string
	markerSize         int
}

// mergeDriver leaves in the file of ours the merge, or a conflict and an error
// that says what it is.
func (a *app) mergeDriver(ctx context.Context, m mergeOf) error {
	if m.markerSize < 1 {
		return errors.New("--marker-size is a number from 1 on")
	}
	var sides [3][]byte
	for i, name := range []string{m.base, m.ours, m.theirs} {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("merging %s: %w", m.path, err)
		}
		sides[i] = data
	}
	place, err := placeInRepository(m.path)
	if err != nil {
		return err
	}
	merged, err := schema.Merge(place, sides[0], sides[1], sides[2])
	if err == nil && merged.Text != nil {
		return replace(m.ours, merged.Text)
	}
	text, conflicts, gitErr := m.asText(ctx)
	if gitErr != nil {
		return gitErr
	}
	_, asText := errors.AsType[*schema.UnmergeableError](err)
	if !conflicts && (asText || merged.Says(text)) {
		return replace(m.ours, text)
	}
	if !conflicts { // git sees none, and would say what neither side meant
		text = withMarks(sides[1], sides[2], m.markerSize)
	}
	if err := replace(m.ours, text); err != nil {
		return err
	}
	for _, sentence := range merged.Conflicts {
		fmt.Fprintf(a.stderr, "%s: %s\n", m.path, sentence)
	}
	if err == nil {
		err = fmt.Errorf("%s: the two sides contradict each other", m.path)
	}
	return hint(err, "decide between the marks in the file, then git add %s", shell(m.path))
}

// asText is what git makes of the file, and whether there are conflicts in it.
func (m mergeOf) asText(ctx context.Context) (text []byte, conflicts bool, err error) {
	cmd := exec.CommandContext(ctx, "git", "merge-file", "-p", "--marker-size="+strconv.Itoa(m.markerSize),
		"-L", "ours", "-L", "base", "-L", "theirs", "--", m.ours, m.base, m.theirs)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	// The exit code is the number of conflicts, at most 127.
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 && exit.ExitCode() <= 127 {
		return stdout.Bytes(), true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("merging %s: git merge-file: %w: %s", m.path, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), false, nil
}

// withMarks puts marks around all lines in which two texts differ.
func withMarks(ours, theirs []byte, size int) []byte {
	o, t := bytes.SplitAfter(ours, []byte("\n")), bytes.SplitAfter(theirs, []byte("\n"))
	same := 0
	for same < min(len(o), len(t)) && bytes.Equal(o[same], t[same]) {
		same++
	}
	end := 0
	for end < min(len(o), len(t))-same && bytes.Equal(o[len(o)-1-end], t[len(t)-1-end]) {
		end++
	}
	var out bytes.Buffer
	lines := func(of [][]byte) {
		for _, l := range of {
			out.Write(l)
		}
	}
	mark := func(char, label string) {
		if b := out.Bytes(); len(b) > 0 && b[len(b)-1] != '\n' {
			out.WriteByte('\n')
		}
		out.WriteString(strings.Repeat(char, size) + label + "\n")
	}
	lines(o[:same])
	mark("<", " ours")
	lines(o[same : len(o)-end])
	mark("=", "")
	lines(t[same : len(t)-end])
	mark(">", " theirs")
	lines(o[len(o)-end:])
	return out.Bytes()
}

// placeInRepository is where a file is as seen from infra.yaml. The outermost
// infra.yaml counts: grants/infra.yaml has the grants on the server itself.
func placeInRepository(file string) (string, error) {
	dir, rest := ".", file
	for {
		found, err := marked(filepath.FromSlash(dir))
		if err != nil {
			return "", err
		}
		if found {
			return rest, nil
		}
		first, below, more := strings.Cut(rest, "/")
		if !more {
			return file, nil // it is not checked out
		}
		dir, rest = path.Join(dir, first), below
	}
}

// replace writes a file in whole or not at all.
func replace(name string, data []byte) error {
	mode := fs.FileMode(0o666)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".infra-merge-*")
	if err != nil {
		return fmt.Errorf("writing the merge: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("writing the merge: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
