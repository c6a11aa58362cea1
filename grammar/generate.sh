#!/bin/sh
# Generates the C# lexer, parser and visitor from Deq.g4. Needs npm and nothing else.
#   generate.sh           writes grammar/Generated
#   generate.sh --check   writes nothing; fails where grammar/Generated is not what Deq.g4 gives
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm init --yes >npm.log && npm install --no-audit --no-fund antlr-ng@1.0.10 >>npm.log 2>&1) ||
    { cat "$work/npm.log" >&2; exit 1; }

# --exact-output-dir and a relative path, so that the output names no folder of this machine.
"$work/node_modules/.bin/antlr-ng" -Dlanguage=CSharp -l false -v true -p DiffEqLang.Grammar \
    --exact-output-dir -o "$work/Generated" grammar/Deq.g4
rm -f "$work"/Generated/*.interp "$work"/Generated/*.tokens

if [ "${1:-}" = --check ]; then
    diff -r "$work/Generated" grammar/Generated ||
        { echo "grammar/Generated is stale: run grammar/generate.sh" >&2; exit 1; }
else
    mkdir -p grammar/Generated
    rm -f grammar/Generated/*
    cp "$work"/Generated/* grammar/Generated/
fi
