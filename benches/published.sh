#!/bin/sh
# Approvals a second against 'serve' on this machine: 'decide --batch' with its journal, beside the published Python client
# with 16 and with 64 calls in flight. From the project's directory:
#
#     cargo build --release && sh benches/published.sh target/release/aegis-console
#
# A second argument is the number of approvals (10000). Needs python3 with venv, and the package index. Takes about two
# minutes on 2 cores.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: benches/published.sh BINARY [COUNT]}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/../tests/interop/requirements.txt"
"$work/venv/bin/python" "$here/published.py" "$binary" "$work" "${2:-10000}"
