#!/bin/sh
# Makes the environments of the S3 clients that the end-to-end tests run, below .cache/clients.
# Idempotent: an environment is made again only when its lock file or its sources changed.
# A client whose runtime (node, go) this machine lacks is left out; its tests then say so.
# Started twice it is done once: the second one waits.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../../.." && pwd)
home=${MIZUCHI_CLIENTS:-$root/.cache/clients}
python=${PYTHON:-python3}
mkdir -p "$home"

stamp_of() { cat "$@" | sha256sum | cut -d' ' -f1; }
is_current() { [ "$(cat "$home/$1/.stamp" 2>/dev/null)" = "$2" ]; }
missing() { ! command -v "$1" >/dev/null 2>&1; }

python_environment() { # name
    stamp=$(stamp_of "$here/$1/requirements.txt")
    is_current "$1" "$stamp" && return
    echo "clients: python environment $1"
    rm -rf "${home:?}/$1"
    "$python" -m venv "$home/$1"
    "$home/$1/bin/python" -m pip install --quiet --require-hashes -r "$here/$1/requirements.txt"
    echo "$stamp" >"$home/$1/.stamp"
}

node_environment() {
    if missing node || missing npm; then
        echo "clients: no node or npm here, the JavaScript clients are left out"
        return
    fi
    stamp=$(stamp_of "$here/node/package-lock.json" "$here"/node/*.mjs)
    is_current node "$stamp" && return
    echo "clients: node environment"
    rm -rf "${home:?}/node"
    mkdir -p "$home/node"
    # The scripts stand beside node_modules, because ES modules are resolved from where the script is.
    cp "$here"/node/package.json "$here"/node/package-lock.json "$here"/node/*.mjs "$home/node/"
    (cd "$home/node" && npm ci --silent --no-audit --no-fund --ignore-scripts)
    echo "$stamp" >"$home/node/.stamp"
}

go_environment() {
    wanted=$(sed -n 's/^go //p' "$here/go/go.mod")
    if missing go || ! newest_is "$(go env GOVERSION | sed 's/^go//')" "$wanted"; then
        echo "clients: no go $wanted or newer here, minio-go is left out"
        return
    fi
    stamp=$(stamp_of "$here/go/go.mod" "$here/go/go.sum" "$here"/go/*.go)
    is_current go "$stamp" && return
    echo "clients: minio-go"
    mkdir -p "$home/go"
    # As tests/servers/go_tools.py builds, so what both need of the standard library is compiled once.
    (cd "$here/go" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS='-mod=readonly -buildvcs=false' \
        go build -trimpath '-ldflags=-s -w' '-gcflags=all=-l -dwarf=false' -o "$home/go/upload" .)
    echo "$stamp" >"$home/go/.stamp"
}

newest_is() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ]; }

if ! missing flock; then
    exec 9>"$home/.lock"
    flock 9
fi
python_environment python
python_environment s3fs
node_environment
go_environment
