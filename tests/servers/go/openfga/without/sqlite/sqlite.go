// Package sqlite registers no driver: OpenFGA's datastore-engine sqlite cannot be opened.
package sqlite

// Error is what OpenFGA looks for in the errors of its datastore. Nothing makes one here.
type Error struct{}

func (*Error) Error() string { return "SQLite is left out" }

func (*Error) Code() int { return 0 }
