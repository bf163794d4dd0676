package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// tell tells the whole story.
func tell(ctx context.Context, s *stage) error {
	for _, part := range []struct {
		title string
		tell  func(context.Context, *stage) error
	}{
		{"An access repository", repository},
		{"Connecting a cluster", connecting},
		{"Granting access", granting},
		{"A role of your own", customRoles},
		{"Taking access away", removing},
		{"A bad commit", refusing},
		{"A binding broken by hand", breaking},
	} {
		chapter(part.title)
		if err := part.tell(ctx, s); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\n", bold("That was the whole way: from a commit to a role binding, and back."))
	return nil
}

func repository(ctx context.Context, s *stage) error {
	return s.shell(ctx, false, "infra", "init", s.repo)
}

func connecting(ctx context.Context, s *stage) error {
	hide := func(out string) string {
		lines := strings.Split(out, "\n")
		for i, line := range lines {
			if key, ok := strings.CutPrefix(strings.TrimSpace(line), "infra1_"); ok && len(key) > 20 {
				lines[i] = line[:strings.Index(line, "infra1_")+18] + "..."
			}
		}
		return strings.Join(lines, "\n")
	}
	out, err := s.typed(ctx, false, hide, "infra", "keys", "add", "example-connector", "connector")
	if err != nil {
		return err
	}
	key := strings.TrimSpace(out)

	fmt.Printf("\n%s %s\n", dim("$"), bold("infra server --repo "+s.repo+" --branch main --listen "+s.address+" &"))
	if err := s.start("server", "server", "--repo", s.repo, "--branch", "main", "--listen", s.address,
		"--data-dir", filepath.Join(s.dir, "server")); err != nil {
		return err
	}

	fmt.Printf("\n%s %s\n", dim("$"), bold(`helm upgrade --install infra-connector ./charts/infra \
      --set connector.config.server=`+s.address+` \
      --set connector.config.accessKey=`+key[:18]+`... \
      --set connector.config.name=`+destination+` \
      --set connector.config.skipTLSVerify=true`))
	start := time.Now()
	s.release, err = chart.Deploy(ctx, s.cluster, s.dir, chart.Values{Name: destination, Namespace: home, Server: s.address, AccessKey: key})
	if err != nil {
		return err
	}
	say("installed in %.1f s", time.Since(start).Seconds())
	say("The image is not needed here: the connector runs beside this program, with exactly the")
	say("configuration that the chart rendered and the rights of ServiceAccount %s/%s.", home, s.release.ServiceAccount)
	return s.start("connector", "connector", "-f", s.release.File, "--kubeconfig", s.release.Kubeconfig)
}

// The questions of the story.
var (
	fisherDeletes = controlplane.Question{User: "fisher@example.com", Verb: "delete", Resource: "pods"}
	annLists      = controlplane.Question{User: "ann@example.com", Groups: []string{"engineering"}, Verb: "list", Resource: "pods"}
	opsUpdates    = controlplane.Question{User: "ops@example.com", Verb: "update", Resource: "deployments.apps", Namespace: "payments"}
	opsEverywhere = controlplane.Question{User: "ops@example.com", Verb: "update", Resource: "deployments.apps"}
	devExecs      = controlplane.Question{User: "dev@example.com", Verb: "create", Resource: "pods/exec", Namespace: "payments"}
	robotGets     = controlplane.Question{User: "robot@example.com", Verb: "get", Resource: "pods"}
	malloryWould  = controlplane.Question{User: "mallory@example.com", Verb: "delete", Resource: "pods"}
)

func granting(ctx context.Context, s *stage) error {
	if err := s.ask(ctx, question{"fisher@example.com may delete pods on example", fisherDeletes, false}); err != nil {
		return err
	}
	for _, step := range []struct {
		q       question
		command []string
	}{
		{question{"fisher@example.com may delete pods on example", fisherDeletes, true},
			[]string{"infra", "grants", "add", "fisher@example.com", "example", "--role", "admin"}},
		{question{"ann@example.com, whom the identity provider puts into engineering, may list pods", annLists, true},
			[]string{"infra", "grants", "add", "-g", "engineering", "example", "--role", "view"}},
		{question{"ops@example.com may update deployments in payments", opsUpdates, true},
			[]string{"infra", "grants", "add", "ops@example.com", "example.payments", "--role", "admin", "--for", "8h", "--reason", "INC-1234"}},
		{question{"dev@example.com may exec into pods in payments", devExecs, true},
			[]string{"infra", "grants", "add", "dev@example.com", "example.payments", "--role", "exec"}},
	} {
		if err := s.change(ctx, step.q, step.command...); err != nil {
			return err
		}
	}
	if err := s.ask(ctx, question{"ops@example.com may update deployments in every namespace", opsEverywhere, false}); err != nil {
		return err
	}
	if err := s.shell(ctx, false, "infra", "grants", "list"); err != nil {
		return err
	}
	return s.shell(ctx, false, "kubectl", "get", "clusterrolebindings,rolebindings", "-A", "-l", "app.kubernetes.io/managed-by=infra")
}

func customRoles(ctx context.Context, s *stage) error {
	for _, command := range [][]string{
		{"kubectl", "create", "clusterrole", customRole, "--verb=get", "--resource=pods"},
		{"infra", "grants", "add", "robot@example.com", "example", "--role", customRole},
	} {
		if err := s.shell(ctx, false, command...); err != nil {
			return err
		}
	}
	if err := s.ask(ctx, question{"robot@example.com may get pods, while the role has no label", robotGets, false}); err != nil {
		return err
	}
	return s.change(ctx, question{"robot@example.com may get pods", robotGets, true},
		"kubectl", "label", "clusterrole/"+customRole, "app.infrahq.com/include-role=true")
}

func removing(ctx context.Context, s *stage) error {
	if err := s.shell(ctx, true, "infra", "grants", "remove", "ops@example.com", "example.payments", "--role", "cluster-admin"); err != nil {
		return err
	}
	for _, step := range []struct {
		q       question
		command []string
	}{
		{question{"ops@example.com may update deployments in payments", opsUpdates, false},
			[]string{"infra", "grants", "remove", "ops@example.com", "example.payments", "--role", "admin"}},
		{question{"fisher@example.com may delete pods on example", fisherDeletes, false},
			[]string{"infra", "grants", "remove", "fisher@example.com", "example", "--role", "admin"}},
	} {
		if err := s.change(ctx, step.q, step.command...); err != nil {
			return err
		}
	}
	return nil
}

func refusing(ctx context.Context, s *stage) error {
	file := filepath.Join(s.repo, "grants", "example.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	bad := string(text) + "  - user: mallory@example.com\n    role: cluster-admin\n    resource: exmaple\n"
	if err := os.WriteFile(file, []byte(bad), 0o644); err != nil {
		return err
	}
	say("Somebody edits the file without infra, and pushes past the checks:")
	if err := s.shell(ctx, false, "git", "commit", "--quiet", "--all", "--message", "give mallory everything"); err != nil {
		return err
	}
	why, err := s.untilRefused(ctx)
	if err != nil {
		return err
	}
	say("The server keeps the last good revision in service, and says on /readyz why:\n")
	fmt.Println("  " + strings.ReplaceAll(strings.TrimSpace(why), "\n", "\n  ") + "\n")
	if err := s.ask(ctx, question{"mallory@example.com may delete pods", malloryWould, false}); err != nil {
		return err
	}
	if err := s.ask(ctx, question{"dev@example.com may still exec into pods in payments", devExecs, true}); err != nil {
		return err
	}
	return s.shell(ctx, false, "git", "revert", "--no-edit", "HEAD")
}

// untilRefused waits until the server speaks of a refusal, and gives its words.
func (s *stage) untilRefused(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // it is our own, on loopback
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.address+"/readyz", nil)
		if err != nil {
			return "", err
		}
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return "", err
		}
		if bytes.Contains(text, []byte("exmaple")) {
			var pretty bytes.Buffer
			err := json.Indent(&pretty, text, "", "  ")
			return pretty.String(), err
		}
	}
}

func breaking(ctx context.Context, s *stage) error {
	const binding = "infra:example:view"
	bindings := s.client.RbacV1().ClusterRoleBindings()
	before, err := bindings.Get(ctx, binding, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := s.shell(ctx, true, "kubectl", "patch", "clusterrolebinding", binding, "--type=json",
		`--patch=[{"op":"remove","path":"/subjects/0"}]`); err != nil {
		return err
	}
	say("Nobody but the connector writes its bindings, not even an administrator. Deleting is allowed:")
	if err := s.shell(ctx, false, "kubectl", "delete", "clusterrolebinding", binding); err != nil {
		return err
	}
	for {
		after, err := bindings.Get(ctx, binding, metav1.GetOptions{})
		if err == nil && after.UID != before.UID {
			took := after.CreationTimestamp.Sub(s.returned).Truncate(time.Second)
			say("%s is back: made anew %s", binding, dim(fmt.Sprintf("within %d s", max(1, int(took.Seconds())))))
			break
		}
		if time.Since(s.returned) > time.Minute {
			return fmt.Errorf("waiting for %s to come back: %w", binding, err)
		}
	}
	return s.ask(ctx, question{"ann@example.com, in engineering, may list pods", annLists, true})
}

// explain says how to use what is left running.
func (s *stage) explain() {
	fmt.Printf(`
Everything is still running. In another terminal:

    export KUBECONFIG=%s
    export PATH=%s:$PATH
    cd %s
    infra grants add you@example.com example --role view
    kubectl auth can-i list pods --as you@example.com

    The server is at https://%s; logs are in %s.

Ctrl-C ends everything and cleans up.
`, s.kubeconfig, s.program(""), s.repo, s.address, s.dir)
}
