#!/bin/sh
# Runs agents of published frameworks against a gateway, then every page of a way in as it is written:
#
#     tests/interop/agents/run.sh BINARY
#
# With `live` behind it, the same agents ask the gateway of AEGIS_AGENT_SERVER and AEGIS_AGENT_TOKEN_FILE, for you to decide by hand.
# Needs python3 (3.11 or newer) with venv and Node (20 or newer) with npm, and their package indexes. Where one of these is not
# there, its part is skipped, which is said loudly. An index that answers and packages that cannot be installed from it (a wrong
# version, say) are a failure; whatever is run must pass.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: run.sh BINARY [live]}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skipped() {
    echo "##### SKIPPED: $1"
    echo "##### $2 NOT run. On a machine that can have them: sh tests/interop/agents/run.sh BINARY"
}

result=0
# A part without its packages: failed where one small package of it, at any version, can be had, else skipped.
#     without 'PROBE' WHAT WHOSE
without() {
    if $1 >/dev/null 2>&1; then
        echo "##### FAILED: $2 cannot be installed, though their index answers. $3 NOT run."
        result=1
    else
        skipped "$2 cannot be installed: their index cannot be reached." "$3"
    fi
}

# The pages install theirs from what has been fetched here, at these versions.
export PIP_CONSTRAINT="$here/requirements.txt" PIP_DISABLE_PIP_VERSION_CHECK=1
export npm_config_cache="$work/npm" npm_config_prefer_offline=true npm_config_audit=false npm_config_fund=false
agents='' pages=''
of="Agents of LangGraph, Pydantic AI, OpenAI Agents and LangChain, and their pages, were"
if ! { python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' && python3 -m venv "$work/venv"; }; then
    skipped "there is no python3 of 3.11 or newer with venv." "$of"
elif "$work/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"; then
    agents='langgraph pydantic-ai openai-agents langchain' pages="--bin $work/venv/bin --installed pip"
else
    without "env -u PIP_CONSTRAINT $work/venv/bin/pip download --quiet --no-deps --no-cache-dir --dest $work/probe sniffio" \
        "the Python packages of $here/requirements.txt" "$of"
fi
cp "$here/package.json" "$here/package-lock.json" "$work/"
of="Agents of LangChain in JavaScript, and their page, were"
if ! { node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' && command -v npm >/dev/null; }; then
    skipped "there is no Node of 20 or newer with npm." "$of"
elif npm ci --prefix "$work" --ignore-scripts --loglevel=error; then
    agents="$agents langchain-js" pages="$pages --installed npm"
else
    without "npm view zod name" "the packages of $here/package.json" "$of"
fi

if [ -n "$agents" ]; then
    python=python3
    if [ -x "$work/venv/bin/pip" ]; then python=$work/venv/bin/python; fi
    case ${2:-} in
        # shellcheck disable=SC2086 # words
        live) "$python" "$here/live.py" "$binary" "$work" $agents && exit ;;
        # shellcheck disable=SC2086 # words
        *) "$python" "$here/checks.py" "$binary" "$work" $agents || result=1 ;;
    esac
fi
if [ "${2:-}" = live ]; then exit 1; fi
# shellcheck disable=SC2086 # words
python3 "$here/../pages.py" "$binary" $pages || result=1
exit "$result"
