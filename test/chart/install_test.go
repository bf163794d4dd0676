package chart_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

func client(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestInstallGivesWhatThePodWouldHave(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{Server: "127.0.0.1:9443", AccessKey: testKey})

	got, err := os.ReadFile(c.File)
	if err != nil {
		t.Fatal(err)
	}
	want := "listen: " + c.Listen + `
name: ` + c.Name + `
namespace: ` + c.Namespace + `
server:
  accessKey: file:` + c.Dir + `/var/run/secrets/infra/access-key
  skipTLSVerify: true
  url: https://127.0.0.1:9443
stateSecret: infra-connector-state
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("connector.yaml (-want +got):\n%s", diff)
	}
	key, err := os.ReadFile(c.Dir + "/var/run/secrets/infra/access-key")
	if err != nil || string(key) != testKey {
		t.Errorf("the access key is %q: %v", key, err)
	}
	review, err := client(t, c.Config).AuthenticationV1().SelfSubjectReviews().Create(t.Context(), selfReview(), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := review.Status.UserInfo.Username, "system:serviceaccount:"+c.Namespace+":infra-connector"; got != want {
		t.Errorf("the connector is %s, want %s", got, want)
	}
}

func TestAnUpgradeKeepsTheConnectorsState(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	secrets := client(t, c.Config).CoreV1().Secrets(c.Namespace)
	state, err := secrets.Get(t.Context(), "infra-connector-state", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	state.Data = map[string][]byte{"state": []byte("the last good answer")}
	if _, err := secrets.Update(t.Context(), state, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, set := range [][]string{nil, {"connector.config.server=other.example.com"}, {"podLabels.a=b"}} {
		if err := c.Upgrade(t.Context(), set...); err != nil {
			t.Fatal(err)
		}
		state, err := secrets.Get(t.Context(), "infra-connector-state", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(state.Data["state"]); got != "the last good answer" {
			t.Errorf("after an upgrade with %v the state is %q", set, got)
		}
	}
	account, err := client(t, cp.AdminConfig()).CoreV1().ConfigMaps(c.Namespace).Get(t.Context(), "infra-connector", metav1.GetOptions{})
	if err != nil || !strings.Contains(account.Data["connector.yaml"], "infra.invalid") {
		t.Errorf("the last upgrade, which went back to the first server, did not arrive: %v\n%v", err, account.Data)
	}
}

// everything lists the names of all objects in the cluster that carry a release's
// label, by kind.
func everything(t *testing.T, cp *controlplane.ControlPlane, release string) []string {
	t.Helper()
	config := cp.AdminConfig()
	config.WarningHandler = rest.NoWarnings{} // of kinds that are deprecated
	_, lists, err := client(t, config).Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, list := range lists {
		for _, kind := range list.APIResources {
			if !strings.Contains(strings.Join(kind.Verbs, " "), "list") || kind.Kind == "Event" {
				continue
			}
			items, err := objects.Resource(groupVersion(t, list.GroupVersion).WithResource(kind.Name)).List(t.Context(),
				metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + release})
			if err != nil {
				t.Fatalf("listing %s: %v", kind.Name, err)
			}
			for _, item := range items.Items {
				found = append(found, kind.Kind+" "+item.Name)
			}
		}
	}
	return found
}

// It has a control plane of its own, because the shared roles belong to whoever
// installs first.
func TestTwoReleasesSideBySideAndUninstalled(t *testing.T) {
	t.Parallel()
	cp := controlplane.New(t, controlplane.Options{})
	one := chart.Install(t, cp, chart.Values{Release: "infra-one"})
	two := chart.Install(t, cp, chart.Values{Release: "infra-two", Namespace: one.Namespace})
	three := chart.Install(t, cp, chart.Values{Release: "infra-one"}) // the same name in another namespace

	shared := func() (owners []string) {
		for _, name := range []string{"infra:exec", "infra:logs", "infra:port-forward"} {
			role, err := client(t, cp.AdminConfig()).RbacV1().ClusterRoles().Get(t.Context(), name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			owners = append(owners, role.Annotations["meta.helm.sh/release-name"]+" in "+role.Annotations["meta.helm.sh/release-namespace"])
		}
		return owners
	}
	first := "infra-one in " + one.Namespace
	for _, c := range []*chart.Connector{two, one, three} {
		if err := c.Upgrade(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{first, first, first}, shared()); diff != "" {
			t.Errorf("owners of the shared roles after an upgrade of %s (-want +got):\n%s", c.Release, diff)
		}
	}

	rival := *two
	rival.Release, rival.Name = "infra-rival", one.Name
	if err := rival.Upgrade(t.Context()); err == nil || !strings.Contains(err.Error(), "infra-connector-"+one.Name) {
		t.Errorf("a second release for the same destination: %v", err)
	}

	if err := two.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := everything(t, cp, "infra-two"); got != nil {
		t.Errorf("left over: %v", got)
	}
	for _, c := range []*chart.Connector{one, three} {
		if _, err := client(t, c.Config).RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Errorf("the release in %s lost its rights with another: %v", c.Namespace, err)
		}
	}
	if err := three.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := one.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"ClusterRole infra:exec", "ClusterRole infra:logs", "ClusterRole infra:port-forward"}
	if diff := cmp.Diff(want, everything(t, cp, "infra-one")); diff != "" {
		t.Errorf("left over (-want +got):\n%s", diff)
	}
	if err := one.Upgrade(t.Context()); err != nil {
		t.Errorf("installing again: %v", err)
	}
}

func TestAnInstallMakesItsNamespaceAndTakesTheKeyFromASecret(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	admin := client(t, cp.AdminConfig())
	namespace := cp.Namespace(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, StringData: map[string]string{"access-key": testKey}}
	if _, err := admin.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c := chart.Install(t, cp, chart.Values{Namespace: namespace, Set: []string{
		"connector.config.existingSecret=mine", "connector.config.accessKey=",
	}})
	if key, err := os.ReadFile(c.Dir + "/var/run/secrets/infra/access-key"); err != nil || string(key) != testKey {
		t.Errorf("the access key is %q: %v", key, err)
	}
	if _, err := admin.CoreV1().Secrets(namespace).Get(t.Context(), "infra-connector", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the chart made a Secret beside the one that it was told to use: %v", err)
	}

	fresh := controlplane.Name(t)
	chart.Install(t, cp, chart.Values{Namespace: fresh})
	t.Cleanup(func() {
		if err := admin.CoreV1().Namespaces().Delete(context.Background(), fresh, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}
