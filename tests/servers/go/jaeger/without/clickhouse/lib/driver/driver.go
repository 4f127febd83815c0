// Package driver has of the interfaces of the real one what Jaeger calls. Nothing implements them here.
package driver

import "context"

type Conn interface {
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	PrepareBatch(ctx context.Context, query string) (Batch, error)
	Exec(ctx context.Context, query string, args ...any) error
	Ping(context.Context) error
	Close() error
}

type Rows interface {
	Next() bool
	Scan(dest ...any) error
	ScanStruct(dest any) error
	Close() error
	Err() error
}

type Batch interface {
	Append(v ...any) error
	Send() error
	Close() error
}
