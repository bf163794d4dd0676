package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/server"
)

func (a *app) serverCommand() *cobra.Command {
	var (
		o  server.Options
		l  logFlags
		ca string
	)
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve the newest good commit to the connectors",
		Long: `Follow a branch of the access repository, judge every new commit, and serve the
newest one that is accepted to the connectors of the clusters. A commit that is
refused changes nothing but what its revoked.yaml takes away; the log, /readyz
and /metrics say why.

The repository is a folder or an https URL. Where a Git host asks for a password,
it comes from the environment: INFRA_GIT_USERNAME and INFRA_GIT_PASSWORD (a token
is a password).

Without --tls-cert and --tls-key the server makes a certificate, keeps it in its
data folder and logs its fingerprint. The first signal ends it in good order.`,
		Example: `  infra server --repo https://git.example.com/access.git
  infra server -C access --listen 127.0.0.1:8443 --data-dir /var/lib/infra`,
		Args: arguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Repo, o.Path, err = a.served(cmd.Context(), o.Path); err != nil {
				return err
			}
			if o.DataDir, err = a.dataDir(o.DataDir); err != nil {
				return err
			}
			o.RepoOptions = repo.Options{Username: a.getenv("INFRA_GIT_USERNAME"), Password: a.getenv("INFRA_GIT_PASSWORD")}
			if ca != "" {
				if o.RepoOptions.CABundle, err = os.ReadFile(ca); err != nil {
					return fmt.Errorf("reading the Git host's authority: %w", err)
				}
			}
			o.Logger, o.Version = l.logger(a.stderr), thisBuild().Version
			return server.Run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Branch, "branch", "main", "the `branch` that counts")
	flags.StringVar(&o.Path, "path", "", "the `folder` of infra.yaml within the repository (default: where it is found, or the top)")
	flags.StringVar(&o.Listen, "listen", ":8443", "the `address` to listen on")
	flags.StringVar(&o.DataDir, "data-dir", "", "the `folder` for what outlives a restart (default $STATE_DIRECTORY, else ~/.local/state/infra)")
	flags.StringVar(&o.Trust, "trust", "", "the full hash of the `commit` to start from (default: the last accepted one, or the first one seen)")
	flags.StringVar(&o.TLSCert, "tls-cert", "", "certificate `file`, in PEM")
	flags.StringVar(&o.TLSKey, "tls-key", "", "`file` of the certificate's key, in PEM")
	flags.StringSliceVar(&o.TLSHosts, "tls-host", nil, "`name` or address for the certificate that the server makes; may be given again")
	flags.BoolVar(&o.PlainHTTP, "plain-http", false, "no TLS: for a proxy on the same machine")
	flags.DurationVar(&o.PollInterval, "poll-interval", 30*time.Second, "how often a Git host is asked for new commits")
	flags.StringVar(&ca, "git-ca", "", "`file` of the authority that signed the Git host's certificate, in PEM")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	cmd.MarkFlagsMutuallyExclusive("tls-cert", "plain-http")
	l.register(cmd)
	return cmd
}

// served is the repository that a server follows, and the folder of infra.yaml
// in it: an address as it was given, a bare repository, or the checkout in which
// the folder lies.
func (a *app) served(ctx context.Context, path string) (location, folder string, err error) {
	dir := a.location()
	if strings.Contains(dir, "://") {
		return dir, path, nil
	}
	if dir == "" {
		if dir, err = a.root(); err != nil {
			return "", "", err
		}
	}
	checkout, err := repo.FindCheckout(ctx, dir)
	if errors.Is(err, repo.ErrNotRepository) || errors.Is(err, repo.ErrNoGit) {
		return dir, path, nil // what it is, the server says
	}
	if err != nil {
		return "", "", err
	}
	if path == "" {
		if path, err = prefixOf(checkout, dir); err != nil {
			return "", "", err
		}
	}
	if path == "." {
		path = ""
	}
	return checkout.Root(), path, nil
}

// dataDir is where the server keeps what outlives a restart: what the user says,
// what systemd says, else the place of the XDG Base Directory Specification.
func (a *app) dataDir(said string) (string, error) {
	if dir := cmp.Or(said, a.getenv("STATE_DIRECTORY")); dir != "" {
		return dir, nil
	}
	if state := a.getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "infra"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", hint(fmt.Errorf("finding a folder for the server's data: %w", err), "say --data-dir")
	}
	return filepath.Join(home, ".local", "state", "infra"), nil
}
