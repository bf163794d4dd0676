package repo

import "testing"

func TestTheServerOfAnAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ what, address, want string }{
		{"https", "https://github.com/acme/access.git", "github.com"},
		{"a password is not part of it", "https://ann:secret@gitlab.acme.example:8443/access", "gitlab.acme.example"},
		{"ssh", "ssh://git@codeberg.org:22/acme/access", "codeberg.org"},
		{"ssh, short", "git@ssh.dev.azure.com:v3/acme/access/access", "ssh.dev.azure.com"},
		{"ssh, shorter", "github.com:acme/access", "github.com"},
		{"a folder", "/srv/git/github.com/access.git", ""},
		{"a folder on a drive", `C:\git\access`, ""},
		{"a folder as a URL", "file:///srv/git/github.com", ""},
		{"no address at all", "https://[", ""},
	} {
		if got := serverOf(tt.address); got != tt.want {
			t.Errorf("%s: %q is on %q, want %q", tt.what, tt.address, got, tt.want)
		}
	}
}
