package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker for a release, with
// -ldflags "-X main.version=v1.2.3"; else the build's own record is asked.
var version string

// A build is what `infra version -o json` prints.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // with "-dirty" where the tree had changes
	Date     string `json:"date,omitempty"`   // of the commit, RFC 3339
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print which infra this is",
		Long:    "Print which infra this is: version, commit and its date, Go release and platform.",
		Example: "  infra version\n  infra version -o json",
		Args:    arguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := thisBuild()
			if output == "" {
				_, err := fmt.Fprintln(a.stdout, b.Version)
				return err
			}
			return encode(a.stdout, output, b)
		},
	}
	outputFlag(cmd, &output, "", "json", "yaml")
	return cmd
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value + b.Commit
		case s.Key == "vcs.modified" && s.Value == "true":
			b.Commit += "-dirty"
		case s.Key == "vcs.time":
			b.Date = s.Value
		}
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	return b
}
