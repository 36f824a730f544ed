#!/usr/bin/env bash
# Writes the summary of the run as a comment on the pull request, over that of an earlier run.
set -euo pipefail
export MARK="<!-- forgetting-gate: $NAME -->"
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"

{
  echo "$MARK"
  if [ -f reports/summary.md ]; then python -c 'print(open("reports/summary.md", encoding="utf-8").read()[:64_000])'; else echo "**$NAME: $VERDICT**"; fi
  printf '\n\n'
  [ -z "${ARTIFACT:-}" ] || echo "[Page and record]($ARTIFACT) · [log]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID)"
} > reports/comment.md

write() {
  # Only a comment of a bot is updated: anyone may write one that begins with the mark.
  id=$(gh api --paginate "$comments" --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARK))) | .id' | head -n 1)
  if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@reports/comment.md
  else
    gh api --silent --method POST "$comments" --field body=@reports/comment.md
  fi
}
# A pull request from a fork has a token that may not write; the verdict stands without the comment.
write || echo "::warning title=forgetting gate::the comment could not be written; the job needs permissions: {pull-requests: write}"
