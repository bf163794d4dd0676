package connector

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// certificateKey is where in the state Secret the server's certificate is.
const certificateKey = "server.crt"

// A secretPin remembers the server's certificate in the state Secret.
type secretPin struct {
	kube            kubernetes.Interface
	namespace, name string
}

// Load reads the certificate; there may be none yet, but the Secret must exist.
func (p secretPin) Load(ctx context.Context) ([]byte, error) {
	s, err := p.kube.CoreV1().Secrets(p.namespace).Get(ctx, p.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("secret %s in namespace %s does not exist: the chart makes it", p.name, p.namespace)
	}
	if err != nil {
		return nil, err
	}
	return s.Data[certificateKey], nil
}

// Save writes the certificate and leaves the rest of the Secret as it is.
func (p secretPin) Save(ctx context.Context, certificate []byte) error {
	secrets := p.kube.CoreV1().Secrets(p.namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		s, err := secrets.Get(ctx, p.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		s.Data[certificateKey] = certificate
		_, err = secrets.Update(ctx, s, metav1.UpdateOptions{})
		return err
	})
}
