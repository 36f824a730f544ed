#!/usr/bin/env bash
# Installs the gate of the action's own version, and torch from its own index first.
set -euo pipefail
if [ -n "${TORCH_INDEX:-}" ]; then
  python -m pip install --disable-pip-version-check --constraint "$GITHUB_ACTION_PATH/constraints.txt" \
    --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple torch
fi
python -m pip install --disable-pip-version-check --constraint "$GITHUB_ACTION_PATH/constraints.txt" "$GITHUB_ACTION_PATH"
