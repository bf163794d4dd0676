package api

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
)

// The headers that a connector sends with every request, and the server's with
// every answer of the API.
const (
	VersionHeader = "Infra-Wire-Version" // Version, in decimal
	ClusterHeader = "Infra-Cluster-UID"  // UID of the namespace kube-system, which is the cluster's
)

// StatePath is where the desired state of a destination is served.
func StatePath(destination string) string { return destinationPath(destination) + "/state" }

// StatusPath is where the status of a destination is put.
func StatusPath(destination string) string { return destinationPath(destination) + "/status" }

func destinationPath(destination string) string {
	return "/v1/destinations/" + url.PathEscape(destination)
}

// Fingerprint is the SHA-256 of a certificate in DER, as
// `openssl x509 -noout -fingerprint -sha256` prints it: AB:CD:...
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}
