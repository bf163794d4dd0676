package chart_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

func TestMain(m *testing.M) { controlplane.Main(m) }

const testKey = "infra1_0000000000_aSecretThatMustNotBeSeenAnywhere"

// guide are the arguments of the guide's command.
func guide(set ...string) []string {
	args := []string{
		"--set", "connector.config.server=infra.example.com",
		"--set", "connector.config.accessKey=" + testKey,
		"--set", "connector.config.name=example-cluster-name",
		"--set", "connector.config.skipTLSVerify=true",
	}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	return args
}

// render gives the objects that `helm template` writes, by kind and name. A
// field that its kind does not have is an error.
func render(t *testing.T, args ...string) map[string]runtime.Object {
	t.Helper()
	text, err := chart.Helm(t.Context(), t.TempDir(), "", append([]string{"template", "infra-connector", chart.Dir(), "--namespace", "infra"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	objects := map[string]runtime.Object{}
	for document := range strings.SplitSeq(text, "\n---\n") {
		if !strings.Contains(document, "kind:") {
			continue
		}
		object, kind, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		name := fmt.Sprintf("%s %s", kind.Kind, object.(metav1.Object).GetName())
		if objects[name] != nil {
			t.Errorf("%s comes twice", name)
		}
		objects[name] = object
	}
	return objects
}

func TestLintFindsNothing(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"without values": nil, "with the guide's": guide()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := chart.Helm(t.Context(), t.TempDir(), "", append([]string{"lint", "--strict", chart.Dir()}, args...)...); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestTheGuidesCommandGivesAConnector(t *testing.T) {
	t.Parallel()
	objects := render(t, guide()...)

	config := objects["ConfigMap infra-connector"].(*corev1.ConfigMap)
	want := `name: "example-cluster-name"
server:
  url: "https://infra.example.com"
  accessKey: file:/var/run/secrets/infra/access-key
  skipTLSVerify: true
namespace: "infra"
stateSecret: "infra-connector-state"
listen: ":8080"
`
	if diff := cmp.Diff(want, config.Data["connector.yaml"]); diff != "" {
		t.Errorf("connector.yaml (-want +got):\n%s", diff)
	}
	if got := string(objects["Secret infra-connector"].(*corev1.Secret).Data["access-key"]); got != testKey {
		t.Errorf("the Secret's key is %q", got)
	}
	if got := objects["Secret infra-connector-state"].(*corev1.Secret); got.Data != nil {
		t.Errorf("the chart says what is in the connector's state: %v", got.Data)
	}

	deployment := objects["Deployment infra-connector"].(*appsv1.Deployment)
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	if diff := cmp.Diff([]string{"infra", "connector", "-f", "/etc/infra/connector.yaml"}, container.Command); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	if deployment.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType || *deployment.Spec.Replicas != 1 {
		t.Errorf("more than one connector may run at a time: %+v", deployment.Spec.Strategy)
	}
	context, podContext := container.SecurityContext, pod.SecurityContext
	if *context.AllowPrivilegeEscalation || !*context.ReadOnlyRootFilesystem || !*podContext.RunAsNonRoot ||
		podContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault ||
		!cmp.Equal(context.Capabilities.Drop, []corev1.Capability{"ALL"}) || context.Capabilities.Add != nil {
		t.Errorf("the Pod does not meet the restricted standard: %+v %+v", context, podContext)
	}
	if container.LivenessProbe.HTTPGet.Path != "/healthz" || container.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("probes: %v %v", container.LivenessProbe, container.ReadinessProbe)
	}
	if container.Resources.Requests.Memory().IsZero() || container.Resources.Limits.Memory().IsZero() {
		t.Errorf("resources: %v", container.Resources)
	}
}

func TestTheAccessKeyIsInItsSecretAndNowhereElse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{guide(), guide("admissionPolicy.enabled=false")} {
		for name, object := range render(t, args...) {
			text, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{testKey, base64.StdEncoding.EncodeToString([]byte(testKey))} {
				if found := strings.Contains(string(text), form); found && name != "Secret infra-connector" {
					t.Errorf("%s holds the access key", name)
				}
			}
		}
	}
	notes, err := chart.Helm(t.Context(), t.TempDir(), "", append([]string{"install", "infra-connector", chart.Dir(),
		"--dry-run=client", "--hide-secret"}, guide()...)...)
	if err != nil {
		t.Fatal(err)
	}
	_, notes, found := strings.Cut(notes, "NOTES:")
	if !found || !strings.Contains(notes, "infra grants add fisher@example.com example-cluster-name --role view") {
		t.Errorf("the notes do not say what to do next:\n%s", notes)
	}
	if strings.Contains(notes, testKey) {
		t.Error("the notes hold the access key")
	}
}

func TestValuesReachThePod(t *testing.T) {
	t.Parallel()
	objects := render(t, "-f", "testdata/everything.yaml")
	if objects["Secret other"] != nil || len(objects["Secret infra-connector-state"].(*corev1.Secret).Data) > 0 {
		t.Error("the chart writes the Secret that it was told to use")
	}
	deployment := objects["Deployment infra-connector"].(*appsv1.Deployment)
	pod := deployment.Spec.Template
	got := map[string]any{
		"annotation":     pod.Annotations["a"],
		"label":          pod.Labels["l"],
		"image":          pod.Spec.Containers[0].Image,
		"pull policy":    pod.Spec.Containers[0].ImagePullPolicy,
		"pull secret":    pod.Spec.ImagePullSecrets[0].Name,
		"environment":    pod.Spec.Containers[0].Env[0].Value,
		"node":           pod.Spec.NodeSelector["kubernetes.io/os"],
		"toleration":     pod.Spec.Tolerations[0].Key,
		"affinity":       pod.Spec.Affinity.PodAntiAffinity != nil,
		"priority":       pod.Spec.PriorityClassName,
		"account":        pod.Spec.ServiceAccountName,
		"account's note": objects["ServiceAccount robot"].(*corev1.ServiceAccount).Annotations["note"],
		"key":            pod.Spec.Volumes[1].Secret.SecretName,
		"memory":         pod.Spec.Containers[0].Resources.Limits.Memory().String(),
	}
	want := map[string]any{
		"annotation": "1", "label": "2", "image": "registry.example.com/infra:v9", "pull policy": corev1.PullAlways,
		"pull secret": "pull", "environment": "http://proxy.example.com:3128", "node": "linux", "toleration": "dedicated",
		"affinity": true, "priority": "system-cluster-critical", "account": "robot", "account's note": "3",
		"key": "other", "memory": "1Gi",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	config := objects["ConfigMap infra-connector"].(*corev1.ConfigMap).Data["connector.yaml"]
	if !strings.Contains(config, `url: "https://infra.example.com:8443"`) || strings.Contains(config, "skipTLSVerify") ||
		!strings.Contains(config, `trustedCertificate: "-----BEGIN CERTIFICATE-----\nMII=\n`) {
		t.Errorf("connector.yaml:\n%s", config)
	}
}

func TestAChangedConfigurationRestartsThePod(t *testing.T) {
	t.Parallel()
	checksum := func(set ...string) string {
		return render(t, guide(set...)...)["Deployment infra-connector"].(*appsv1.Deployment).Spec.Template.Annotations["checksum/config"]
	}
	first := checksum()
	if first == "" || first != checksum("podLabels.a=b") {
		t.Error("the checksum is missing, or changes with something else")
	}
	if first == checksum("connector.config.server=other.example.com") {
		t.Error("the checksum does not change with the configuration")
	}
}

func TestRolesCanBeLeftOut(t *testing.T) {
	t.Parallel()
	rules := func(set ...string) (bindable []string) {
		role := render(t, guide(set...)...)["ClusterRole infra-connector-example-cluster-name"].(*rbacv1.ClusterRole)
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				switch verb {
				case "bind":
					bindable = append(bindable, rule.ResourceNames...)
					if len(rule.ResourceNames) == 0 {
						t.Error("every role may be bound")
					}
				case "*", "escalate", "impersonate", "patch":
					t.Errorf("the connector may %s %v", verb, rule.Resources)
				}
			}
		}
		return bindable
	}
	all := []string{"cluster-admin", "admin", "edit", "view", "infra:logs", "infra:exec", "infra:port-forward"}
	if diff := cmp.Diff(all, rules()); diff != "" {
		t.Errorf("by default (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"view"}, rules("roles={view}")); diff != "" {
		t.Errorf("with view alone (-want +got):\n%s", diff)
	}
	if got := rules("roles=null"); got != nil {
		t.Errorf("with none: %v", got)
	}
}

func TestWrongValuesAreRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set  []string
		want string
	}{
		"no name":                        {[]string{"connector.config.name="}, "connector.config.name is missing"},
		"a name that is not a DNS label": {[]string{"connector.config.name=Example.com"}, `connector.config.name "Example.com" is not a DNS label`},
		"a name that is too long":        {[]string{"connector.config.name=" + strings.Repeat("a", 64)}, "is not a DNS label"},
		"the reserved name":              {[]string{"connector.config.name=infra"}, `connector.config.name cannot be "infra"`},
		"no server":                      {[]string{"connector.config.server="}, "connector.config.server is missing"},
		"a server without TLS":           {[]string{"connector.config.server=http://infra.example.com"}, `connector.config.server "http://infra.example.com" is not`},
		"no access key":                  {[]string{"connector.config.accessKey="}, "connector.config.accessKey is missing: make one with `infra keys add NAME connector`"},
		"a key and a Secret":             {[]string{"connector.config.existingSecret=other"}, "are both set"},
		"a misspelt key":                 {[]string{"connector.config.skipTlsVerify=true"}, "skipTlsVerify"},
		"a misspelt key at the top":      {[]string{"tolerations=[]", "affinty.a=b"}, "affinty"},
		"a misspelt key of the image":    {[]string{"image.repo=a"}, "repo"},
		"text where a switch is meant":   {[]string{"connector.config.skipTLSVerify=yes"}, "skipTLSVerify"},
		"a system role":                  {[]string{"roles={system:node}"}, "/roles/0"},
		"a wildcard role":                {[]string{"roles={*}"}, "/roles/0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := chart.Helm(t.Context(), t.TempDir(), "", append([]string{"template", "a", chart.Dir()}, guide(test.set...)...)...)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), testKey) {
				t.Error("the message holds the access key")
			}
		})
	}
}
