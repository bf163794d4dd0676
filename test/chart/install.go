package chart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/infrahq/infra/test/controlplane"
)

// Values are what is said about a release. Where Server or AccessKey is empty,
// it is a server that nobody runs, or a key that no server has.
type Values struct {
	Name      string   // of the destination
	Namespace string   // in which to install; made if it is not there
	Release   string   // "infra-connector", if empty
	Server    string   // an address
	AccessKey string   // a whole key
	Set       []string // further arguments of --set, such as "admissionPolicy.enabled=false"
}

// A Connector is an installed release, and what a connector process needs to run
// as its Pod would.
type Connector struct {
	Values
	ServiceAccount string
	Config         *rest.Config // with a token of the ServiceAccount
	Kubeconfig     string       // path of a kubeconfig that says the same
	Dir            string       // the files that the Pod would mount, below their own paths
	File           string       // connector.yaml in it, with paths that lead into Dir and the address Listen
	Listen         string       // host:port for health and metrics

	cluster *controlplane.Cluster
	home    string
}

// Deploy installs the chart with Helm as a cluster's administrator would, and
// waits until its admission policy is in force. What the release needs outside
// the cluster lies in home, a folder of the caller's. Name and Namespace have to
// be given; the namespace is made if it is not there.
func Deploy(ctx context.Context, cluster *controlplane.Cluster, home string, v Values) (*Connector, error) {
	if v.Release == "" {
		v.Release = "infra-connector"
	}
	if v.Server == "" {
		v.Server = "infra.invalid"
	}
	if v.AccessKey == "" {
		v.AccessKey = "infra1_0000000000_no-such-key"
	}
	c := &Connector{Values: v, cluster: cluster, home: home, Dir: filepath.Join(home, "pod")}
	if err := cluster.WriteKubeconfig(filepath.Join(c.home, "kubeconfig"), ""); err != nil {
		return nil, err
	}
	if err := c.Upgrade(ctx); err != nil {
		return nil, err
	}
	if err := c.mount(ctx); err != nil {
		return nil, err
	}
	var err error
	if c.Config, err = cluster.ServiceAccountConfig(ctx, c.Namespace, c.ServiceAccount); err != nil {
		return nil, err
	}
	c.Kubeconfig = filepath.Join(c.Dir, "kubeconfig")
	if err := controlplane.WriteKubeconfig(c.Kubeconfig, c.Config); err != nil {
		return nil, err
	}
	return c, c.untilPolicyHolds(ctx)
}

// Install is Deploy for a test, with a destination and a namespace of its own
// where none is given. The release is uninstalled when the test ends.
func Install(t testing.TB, cp *controlplane.ControlPlane, v Values) *Connector {
	t.Helper()
	if v.Name == "" {
		v.Name = controlplane.Name(t)
	}
	if v.Namespace == "" {
		v.Namespace = cp.Namespace(t)
	}
	c, err := Deploy(t.Context(), cp.Cluster, t.TempDir(), v)
	if err != nil {
		t.Fatalf("installing the chart for %s: %v", v.Name, err)
	}
	t.Cleanup(func() {
		if err := c.Uninstall(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// upgrading lets one Helm at a time write. Two first releases at once would both
// find the shared ClusterRoles missing, and the slower one would fail: of an
// administrator's two commands too, who then repeats the second.
var upgrading sync.Mutex

// Upgrade runs the guide's `helm upgrade --install` again, with further --set
// arguments.
func (c *Connector) Upgrade(ctx context.Context, set ...string) error {
	args := []string{"upgrade", "--install", c.Release, Dir(), "--create-namespace",
		"--set", "connector.config.server=" + c.Server,
		"--set", "connector.config.accessKey=" + c.AccessKey,
		"--set", "connector.config.name=" + c.Name,
		"--set", "connector.config.skipTLSVerify=true"}
	for _, s := range append(c.Set, set...) {
		args = append(args, "--set", s)
	}
	upgrading.Lock()
	defer upgrading.Unlock()
	_, err := c.helm(ctx, args...)
	return err
}

// Uninstall removes the release, if it is there.
func (c *Connector) Uninstall(ctx context.Context) error {
	_, err := c.helm(ctx, "uninstall", c.Release, "--ignore-not-found")
	return err
}

func (c *Connector) helm(ctx context.Context, args ...string) (string, error) {
	return Helm(ctx, c.home, filepath.Join(c.home, "kubeconfig"), append(args, "--namespace", c.Namespace)...)
}

// mount does the kubelet's part: it writes the ConfigMaps and Secrets that the
// Deployment mounts to where it mounts them, below Dir.
func (c *Connector) mount(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.cluster.AdminConfig())
	if err != nil {
		return err
	}
	deployments, err := client.AppsV1().Deployments(c.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/instance=" + c.Release,
	})
	if err != nil {
		return err
	}
	if len(deployments.Items) != 1 {
		return fmt.Errorf("the release has %d Deployments", len(deployments.Items))
	}
	pod := deployments.Items[0].Spec.Template.Spec
	c.ServiceAccount = pod.ServiceAccountName
	volumes := map[string]map[string][]byte{}
	for _, v := range pod.Volumes {
		switch files := map[string][]byte{}; {
		case v.ConfigMap != nil:
			object, err := client.CoreV1().ConfigMaps(c.Namespace).Get(ctx, v.ConfigMap.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			for name, text := range object.Data {
				files[name] = []byte(text)
			}
			volumes[v.Name] = files
		case v.Secret != nil:
			object, err := client.CoreV1().Secrets(c.Namespace).Get(ctx, v.Secret.SecretName, metav1.GetOptions{})
			if err != nil {
				return err
			}
			for _, item := range v.Secret.Items {
				files[item.Path] = object.Data[item.Key]
			}
			volumes[v.Name] = files
		}
	}
	var moves []string // mount path, path below Dir, ...
	for _, m := range pod.Containers[0].VolumeMounts {
		moves = append(moves, m.MountPath+"/", filepath.Join(c.Dir, m.MountPath)+"/")
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		dir := filepath.Join(c.Dir, m.MountPath)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		for name, text := range volumes[m.Name] {
			path := filepath.Join(dir, name)
			if name == "connector.yaml" {
				c.File = path
				if text, err = c.moved(ctx, text, strings.NewReplacer(moves...)); err != nil {
					return err
				}
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// moved is connector.yaml for a machine that is not the Pod: other paths, and an
// address that is free here.
func (c *Connector) moved(ctx context.Context, text []byte, paths *strings.Replacer) ([]byte, error) {
	port, err := controlplane.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	c.Listen = fmt.Sprintf("127.0.0.1:%d", port)
	var config map[string]any
	if err := yaml.UnmarshalStrict([]byte(paths.Replace(string(text))), &config); err != nil {
		return nil, fmt.Errorf("reading connector.yaml: %w", err)
	}
	config["listen"] = c.Listen
	return yaml.Marshal(config)
}

// untilPolicyHolds waits until the API server has compiled the release's
// admission policy, if it has one: it refuses a binding that only the connector
// may write.
func (c *Connector) untilPolicyHolds(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.cluster.AdminConfig())
	if err != nil {
		return err
	}
	policy := "infra-connector-" + c.Name
	_, err = client.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(ctx, policy, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "infra:" + c.Name + ":probe"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if apierrors.IsForbidden(err) {
			return true, nil
		}
		return false, err
	})
}
