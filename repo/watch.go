package repo

import (
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long the refs must be quiet before a change is reported. Git
// moves a finished file into place, so it is not for safety: it makes one
// report of the several events that one commit causes.
const settle = 10 * time.Millisecond

// watch reports changes of the refs, until stop is called and has returned.
// Where the system gives no watch (too many, or a network drive), there are no
// reports and polling has to do.
func (l *local) watch() (changes <-chan struct{}, stop func()) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, func() {}
	}
	// Folders, never files: git replaces files, and a watch would stay with the old one.
	l.watchFolders(w)
	out := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.report(w, out)
	}()
	return out, func() {
		w.Close()
		<-done
	}
}

// report turns events into at most one waiting report, until w is closed.
func (l *local) report(w *fsnotify.Watcher, out chan<- struct{}) {
	quiet := time.NewTimer(0)
	<-quiet.C
	for {
		select {
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if !l.isRef(e.Name) {
				continue
			}
			if e.Has(fsnotify.Create) {
				l.watchFolders(w) // feat/x brings the folder feat, and refs may already be in it
			}
			quiet.Reset(settle)
		case _, ok := <-w.Errors:
			if !ok {
				return
			}
			quiet.Reset(settle) // events may have been lost
		case <-quiet.C:
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}
}

// watchFolders adds what is not watched yet. A folder that vanishes meanwhile
// has nothing to tell.
func (l *local) watchFolders(w *fsnotify.Watcher) {
	_ = w.Add(l.gitDir)    // HEAD
	_ = w.Add(l.commonDir) // packed-refs
	_ = filepath.WalkDir(filepath.Join(l.commonDir, "refs", "heads"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = w.Add(path)
		}
		return nil
	})
}

// isRef tells what moves a branch from everything else that happens in a
// repository's folder: `git status` alone rewrites the index.
func (l *local) isRef(path string) bool {
	if strings.HasSuffix(path, ".lock") {
		return false
	}
	if filepath.Dir(path) == l.gitDir || filepath.Dir(path) == l.commonDir {
		switch filepath.Base(path) {
		case "HEAD", "packed-refs", "refs":
			return true
		}
		return false
	}
	return true
}
