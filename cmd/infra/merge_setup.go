package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// attributes is the file that says which files git merges with merge-driver.
const attributes = ".gitattributes"

// mergeSetting is how a clone learns to call merge-driver for what its
// .gitattributes marks with merge=infra. Git takes it from the configuration
// alone: nothing that a clone brings along may run a program.
const mergeSetting = `git config merge.infra.driver 'infra merge-driver %O %A %B %P'`

// adviseAttributes names the lines that a .gitattributes which was there lacks.
func (a *app) adviseAttributes(dir, file string) error {
	if file != attributes {
		return nil
	}
	there, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return fmt.Errorf("making an access repository: %w", err)
	}
	ours, err := template.ReadFile("template/gitattributes")
	if err != nil {
		return err
	}
	has := strings.Fields(string(there))
	for line := range bytes.Lines(ours) {
		pattern, _, found := strings.Cut(strings.TrimSpace(string(line)), " merge=")
		if found && !slices.Contains(has, pattern) {
			a.say("to merge by what the files say, add to %s: %s", file, strings.TrimSpace(string(line)))
		}
	}
	return nil
}
