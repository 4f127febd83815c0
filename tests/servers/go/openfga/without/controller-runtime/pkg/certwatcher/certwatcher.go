// Package certwatcher has what OpenFGA calls of the real one, to serve TLS. Here it refuses to.
package certwatcher

import (
	"context"
	"crypto/tls"
	"errors"
)

var errLeftOut = errors.New("this build of OpenFGA has no TLS")

type CertWatcher struct{}

func New(certPath, keyPath string) (*CertWatcher, error) { return nil, errLeftOut }

func (*CertWatcher) RegisterCallback(callback func(tls.Certificate)) {}

func (*CertWatcher) Start(ctx context.Context) error { return errLeftOut }

func (*CertWatcher) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return nil, errLeftOut
}
