package repo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Line walks from a commit along first parents, the commit first. Its end is the
// first commit of all, or, with an error that wraps [ErrShallow], where the clone
// ends.
func (h *History) Line(from string) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for hash := from; ; {
			c, err := h.Commit(hash)
			if !yield(c, err) || err != nil {
				return
			}
			switch {
			case h.shallow[c.Hash]:
				yield(Commit{}, ErrShallow)
				return
			case len(c.Parents) == 0:
				return
			}
			hash = c.Parents[0]
		}
	}
}

// EndsAt says whether the clone is shallow and has no parents of a commit.
func (h *History) EndsAt(hash string) bool { return h.shallow[hash] }

// A Touch is a commit that changed some of the files asked for, against its first
// parent; against nothing where it has none, or the clone ends there.
type Touch struct {
	Hash  string
	When  time.Time // the committer's
	Files []TouchedFile
}

// A TouchedFile is a path and the hashes of its contents before and after; empty:
// it was not there.
type TouchedFile struct{ Path, Old, New string }

// Touches are the commits on the first-parent line of a commit that changed
// something at or below some paths, newest first. Paths are as seen from the top
// of the checkout. Git finds them without reading a file.
func (c *Checkout) Touches(ctx context.Context, tip string, paths []string) ([]Touch, error) {
	args := []string{"-c", "log.showRoot=true", "-c", "log.showSignature=false", "log", "--first-parent", "-m", "--raw", "-z", "--no-renames",
		"--no-abbrev", "--no-color", "--format=commit %H %ct", tip, "--"}
	out, err := c.git.run(ctx, nil, append(args, paths...)...)
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	return parseTouches(string(out))
}

func parseTouches(out string) ([]Touch, error) {
	var touches []Touch
	words := strings.Split(out, "\x00")
	for i := 0; i < len(words); i++ {
		word := strings.TrimLeft(words[i], "\n")
		switch {
		case word == "":
		case strings.HasPrefix(word, "commit "):
			f := strings.Fields(word)
			if len(f) != 3 {
				return nil, fmt.Errorf("reading the history: git says %q", word)
			}
			seconds, err := strconv.ParseInt(f[2], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("reading the history: git says %q", word)
			}
			touches = append(touches, Touch{Hash: f[1], When: time.Unix(seconds, 0).UTC()})
		default:
			f := strings.Fields(word) // :100644 100644 OLD NEW M
			if len(f) != 5 || i+1 == len(words) || len(touches) == 0 {
				return nil, fmt.Errorf("reading the history: git says %q", word)
			}
			i++
			last := &touches[len(touches)-1]
			last.Files = append(last.Files, TouchedFile{words[i], hashOrNone(f[2]), hashOrNone(f[3])})
		}
	}
	return touches, nil
}

func hashOrNone(hash string) string {
	if strings.Trim(hash, "0") == "" {
		return ""
	}
	return hash
}

// FirstParents are the hashes of a commit and of all on its first-parent line.
func (c *Checkout) FirstParents(ctx context.Context, tip string) ([]string, error) {
	out, err := c.git.run(ctx, nil, "rev-list", "--first-parent", tip, "--")
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// Blobs reads contents of files by their hashes, many by one git. It belongs to
// one goroutine, which has to close it.
type Blobs struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Blobs begins to read. The context ends it at any time.
func (c *Checkout) Blobs(ctx context.Context) (*Blobs, error) {
	cmd := exec.CommandContext(ctx, "git", "cat-file", "--batch")
	cmd.Dir = c.git.dir
	cmd.Env = append(environment(), c.git.env...)
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = patience
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("reading files of the history: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("reading files of the history: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("reading files of the history: %w", err)
	}
	return &Blobs{cmd, in, bufio.NewReader(out)}, nil
}

// Read gives the content that has a hash.
func (b *Blobs) Read(hash string) ([]byte, error) {
	if _, err := io.WriteString(b.in, hash+"\n"); err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", hash, err)
	}
	header, err := b.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", hash, err)
	}
	f := strings.Fields(header) // HASH blob SIZE
	if len(f) != 3 || f[0] != hash {
		return nil, fmt.Errorf("reading blob %s: git says %q: %w", hash, strings.TrimSpace(header), ErrNotFound)
	}
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: git says %q: %w", hash, header, err)
	}
	content := make([]byte, size+1) // and a line break
	if _, err := io.ReadFull(b.out, content); err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", hash, err)
	}
	return content[:size], nil
}

// Close ends it.
func (b *Blobs) Close() error {
	_ = b.in.Close() // that is how git is told
	return b.cmd.Wait()
}
