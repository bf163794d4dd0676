package connector

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// A Config says which destination a connector is, and where its server is. The
// chart writes it; LoadConfig reads it.
type Config struct {
	Name   string       `json:"name"` // of the destination: a DNS label other than infra
	Server ServerConfig `json:"server"`

	// Namespace is the one that the connector runs in: no pattern of a grant
	// matches it, and StateSecret lies in it. Empty: the one that the pod's
	// ServiceAccount is of.
	Namespace string `json:"namespace"`

	// StateSecret names the Secret in which the server's certificate is
	// remembered. It must exist: the right to create one could not be limited to
	// a name. Empty: infra-connector-state.
	StateSecret string `json:"stateSecret"`

	// Listen is the address of /healthz, /readyz and /metrics, all in plain
	// HTTP. It is ":8080" where the file does not say, and off where it says "".
	Listen string `json:"listen"`
}

// A ServerConfig says where the server is and how to know it.
type ServerConfig struct {
	URL                string `json:"url"` // a host name, or a host name and port, means https
	AccessKey          Secret `json:"accessKey"`
	SkipTLSVerify      bool   `json:"skipTLSVerify"`      // trust the certificate on first use, and remember it
	TrustedCertificate string `json:"trustedCertificate"` // PEM, or file: and a path; trusted beside the system's
}

const defaultStateSecret = "infra-connector-state"

// inPod is where a pod finds the namespace that it runs in.
const inPod = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// LoadConfig reads and checks the file. An unknown or repeated key is an error;
// what is wrong with the values is said all at once.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading the connector's configuration: %w", err)
	}
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("reading the connector's configuration in %s: %w", path, err)
	}
	return c, nil
}

func parseConfig(text []byte) (Config, error) {
	c := Config{Listen: ":8080"}
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		return Config{}, err
	}
	c.StateSecret = cmp.Or(c.StateSecret, defaultStateSecret)
	return c, c.check()
}

func (c Config) check() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	label := func(field, value string) {
		if wrong := validation.IsDNS1123Label(value); wrong != nil {
			bad("%s %q: %s", field, value, strings.Join(wrong, "; "))
		}
	}
	switch c.Name {
	case "":
		bad("name is missing: it is the destination's, as grants say it")
	case "infra":
		bad("name %q is the server's own: a cluster cannot be called that", c.Name)
	default:
		label("name", c.Name)
	}
	if strings.TrimSpace(c.Server.URL) == "" {
		bad("server.url is missing")
	}
	if c.Server.AccessKey == "" {
		bad("server.accessKey is missing: file:PATH, env:NAME, or the key itself")
	}
	if c.Namespace != "" {
		label("namespace", c.Namespace)
	}
	if wrong := validation.IsDNS1123Subdomain(c.StateSecret); wrong != nil {
		bad("stateSecret %q: %s", c.StateSecret, strings.Join(wrong, "; "))
	}
	return errors.Join(problems...)
}

// namespace is the connector's own.
func (c Config) namespace() (string, error) {
	if c.Namespace != "" {
		return c.Namespace, nil
	}
	text, err := os.ReadFile(inPod)
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("namespace is missing in the configuration, and outside of a cluster nothing else says it")
	}
	if err != nil {
		return "", fmt.Errorf("reading the connector's own namespace: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// trusted is the certificate to trust, in PEM.
func (s ServerConfig) trusted() ([]byte, error) {
	path, isFile := strings.CutPrefix(s.TrustedCertificate, "file:")
	if !isFile {
		return []byte(s.TrustedCertificate), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted certificate: %w", err)
	}
	return text, nil
}

// A Secret is an access key, or where to find it: "file:" and a path, or "env:"
// and the name of a variable.
type Secret string

// Read finds the key. A file is read each time, so a key that is replaced there
// counts from then on.
func (s Secret) Read() (string, error) {
	if path, ok := strings.CutPrefix(string(s), "file:"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(string(text)), nil
	}
	if name, ok := strings.CutPrefix(string(s), "env:"); ok {
		value := strings.TrimSpace(os.Getenv(name))
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is empty", name)
		}
		return value, nil
	}
	return string(s), nil
}

// String says where the key is and hides the key itself.
func (s Secret) String() string {
	if strings.HasPrefix(string(s), "file:") || strings.HasPrefix(string(s), "env:") || s == "" {
		return string(s)
	}
	return "(hidden)"
}

// GoString hides the key too.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }
