package repo

import (
	"fmt"
	"os"
	"os/exec"
)

// A Way is by what a checkout is read and written.
type Way string

// The ways that there are.
const (
	Auto    Way = "auto"    // System where there is a git in PATH, else Builtin; also the zero value
	System  Way = "system"  // the git program
	Builtin Way = "builtin" // infra itself, which refuses what takes the program
)

// WayVariable is the variable of the environment that says which way is wanted.
const WayVariable = "INFRA_GIT"

// wantedWay is what the environment asks for.
func wantedWay() (Way, error) {
	switch way := Way(os.Getenv(WayVariable)); way {
	case "", Auto, System, Builtin:
		return way, nil
	default:
		return "", fmt.Errorf("%s is %q: it must be %s, %s or %s", WayVariable, string(way), Auto, System, Builtin)
	}
}

// builtin says whether this way is without a git program.
func (w Way) builtin() bool { return w == Builtin || w != System && !gitInPath() }

func gitInPath() bool {
	_, err := exec.LookPath("git")
	return err == nil
}
