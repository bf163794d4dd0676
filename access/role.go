package access

import "slices"

// contained are the built-in roles that each built-in role contains, itself
// aside. Kubernetes makes admin, edit and view by aggregating each into the one
// before it; view may read pods/log, edit may create pods/exec and
// pods/portforward (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
var contained = map[string][]string{
	"admin": {"edit", "view", "exec", "port-forward", "logs"},
	"edit":  {"view", "exec", "port-forward", "logs"},
	"view":  {"logs"},
}

// Contains says whether whoever has role a may do all that role b allows, on the
// same target. Of a role that is not built in it is known only that cluster-admin
// contains it.
func Contains(a, b string) bool {
	return a == b || a == "cluster-admin" || slices.Contains(contained[a], b)
}
