package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// decode reads one JSON value that has no unknown field and nothing behind it.
// What is wrong with the text is bad; an error of the reader is returned as it is.
func decode[T any](r io.Reader, what string, bad error) (value T, err error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return value, fmt.Errorf("reading %s: %w", what, err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&value); err != nil {
		return value, fmt.Errorf("%w: %w", bad, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return value, fmt.Errorf("%w: there is text after its end", bad)
	}
	return value, nil
}

// Fingerprint is the SHA-256 of a certificate in DER, as
// `openssl x509 -noout -fingerprint -sha256` prints it: AB:CD:...
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}
