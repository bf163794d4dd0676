package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// maxManifests is how much one file may hold, in bytes.
const maxManifests = 256 << 20

// readManifests reads one -f: a file, a folder, an address, or "-".
func (s *rbacSource) readManifests(ctx context.Context, said string, c *rbacCollector) error {
	switch {
	case said == "-":
		return c.stream("standard input", s.stdin)
	case strings.HasPrefix(said, "https://") || strings.HasPrefix(said, "http://"):
		return c.address(ctx, said)
	}
	info, err := os.Stat(said)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	if !info.IsDir() {
		return c.file(said)
	}
	return filepath.WalkDir(said, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("reading manifests: %w", err)
		case d.IsDir() && path != said && !s.recursive:
			return filepath.SkipDir
		case d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			return nil
		}
		return c.file(path)
	})
}

func (c *rbacCollector) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	return c.stream(path, f)
}

func (c *rbacCollector) address(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("reading manifests: %s answers %s", url, answer.Status)
	}
	return c.stream(url, answer.Body)
}

// stream reads documents of YAML or JSON, and keeps what is about access.
func (c *rbacCollector) stream(name string, from io.Reader) error {
	limited := &io.LimitedReader{R: from, N: maxManifests + 1}
	for d := utilyaml.NewYAMLOrJSONDecoder(limited, 4096); ; {
		var document runtime.RawExtension
		err := d.Decode(&document)
		switch {
		case limited.N <= 0:
			return fmt.Errorf("%s: more than %d MiB", name, maxManifests>>20)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return hint(fmt.Errorf("%s: %w", name, err), "manifests are wanted as kubectl takes them: helm template, or kustomize build, makes them of a chart or a kustomization")
		}
		if len(document.Raw) == 0 || string(document.Raw) == "null" {
			continue
		}
		if err := c.object(document.Raw, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

// object takes an object, or each item of a list, whose kind the list may say alone.
func (c *rbacCollector) object(raw []byte, kindOfItems string) error {
	var head struct {
		metav1.TypeMeta `json:",inline"`
		Items           []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("no manifest: %w", err)
	}
	kind := head.Kind
	if kind == "" {
		kind = kindOfItems
	}
	if list, ok := strings.CutSuffix(kind, "List"); ok {
		for _, item := range head.Items {
			if err := c.object(item, list); err != nil {
				return err
			}
		}
		return nil
	}
	group := schema.FromAPIVersionAndKind(head.APIVersion, kind).Group
	if head.Kind != "" && group != rbacv1.GroupName && group != rbacManagerGroup {
		return nil
	}
	switch kind {
	case "":
		return errors.New("a document without a kind")
	case "ClusterRoleBinding":
		return decoded(raw, kind, c.clusterRoleBinding)
	case "RoleBinding":
		return decoded(raw, kind, c.roleBinding)
	case "ClusterRole":
		return decoded(raw, kind, c.clusterRole)
	case "Role":
		return decoded(raw, kind, c.role)
	case "RBACDefinition":
		return decoded(raw, kind, c.definition)
	}
	return nil
}

func decoded[T any](raw []byte, kind string, do func(*T) error) error {
	object := new(T)
	if err := json.Unmarshal(raw, object); err != nil {
		return fmt.Errorf("a %s that cannot be read: %w", kind, err)
	}
	return do(object)
}
