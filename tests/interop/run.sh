#!/bin/sh
# Runs the published Python clients against a gateway: tests/interop/run.sh BINARY
# Needs python3 with venv, and the package index. The last line of each part is 'N passed, N failed'.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: run.sh BINARY}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
"$work/venv/bin/python" "$here/checks.py" "$binary" "$work"
"$work/venv/bin/python" "$here/webhooks.py" "$binary" "$work"
