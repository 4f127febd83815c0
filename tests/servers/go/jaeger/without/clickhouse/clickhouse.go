// Package clickhouse has what Jaeger calls of the real one. Here no connection is opened.
package clickhouse

import (
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

type Protocol int

const (
	Native Protocol = iota
	HTTP
)

type Auth struct {
	Database string
	Username string
	Password string
}

type Options struct {
	Protocol    Protocol
	Addr        []string
	Auth        Auth
	DialTimeout time.Duration
}

func Open(*Options) (driver.Conn, error) {
	return nil, errors.New("this build of Jaeger has no ClickHouse")
}
