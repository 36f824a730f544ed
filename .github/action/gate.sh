#!/usr/bin/env bash
# Runs the gate, and notes its exit code, verdict and record; the last step of the action fails, once all is uploaded.
set -uo pipefail

# Splits each text into words as a shell does, quotes included, and runs nothing in them.
words() {
  python -c 'import shlex, sys; print(*(f"{word}\0" for text in sys.argv[1:] for word in shlex.split(text)), sep="", end="")' "$@"
}

note() {
  printf 'code=%s\nverdict=%s\nrecord=%s\n' "$@" >> "$GITHUB_OUTPUT"
}

if ! words "${SUITES:-}" "${ARGUMENTS:-}" > /dev/null; then
  echo "::error title=forgetting gate::the inputs suites and arguments are words, quoted as in a shell: a quote is left open"
  note 4 error ''
  exit
fi
mapfile -d '' -t given < <(words "${SUITES:-}" "${ARGUMENTS:-}")
arguments=("--model=$MODEL" --report-html=reports/page.html --report-markdown=reports/summary.md --junit-xml=reports/gate.xml)
[ -z "${BASELINE:-}" ] || arguments+=("--baseline=$BASELINE")

mkdir -p reports
rm -f reports/summary.md
code=0
python -m pytest "${arguments[@]}" "${given[@]}" || code=$?

report=reports/latest
for argument in "${given[@]}"; do
  case $argument in --report=*) report=${argument#--report=} ;; esac
done
if [ -f "$report/record.json" ]; then
  verdict=$(python -c 'import json, sys; print(json.load(open(sys.argv[1], encoding="utf-8"))["run"]["status"])' "$report/record.json")
  note "$code" "$verdict" "${FOLDER:+${FOLDER%/}/}$report/record.json"
else
  note "$code" error ''
fi
