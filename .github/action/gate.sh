#!/usr/bin/env bash
# Runs the gate, and notes its exit code; the last step of the action fails, once all is uploaded. Verdict and record are what
# the run itself notes at its end, and an error until then.
set -uo pipefail

# Splits each text into words as a shell does, quotes included, and runs nothing in them.
words() {
  python -c 'import shlex, sys; print(*(f"{word}\0" for text in sys.argv[1:] for word in shlex.split(text)), sep="", end="")' "$@"
}

note() {
  echo "$1" >> "$GITHUB_OUTPUT"
}

note verdict=error
note record=
if ! words "${SUITES:-}" "${ARGUMENTS:-}" > /dev/null; then
  echo "::error title=forgetting gate::the inputs suites and arguments are words, quoted as in a shell: a quote is left open"
  note code=4
  exit
fi
mapfile -d '' -t given < <(words "${SUITES:-}" "${ARGUMENTS:-}")
arguments=("--model=$MODEL" --report-html=reports/page.html --report-markdown=reports/summary.md --junit-xml=reports/gate.xml)
[ -z "${BASELINE:-}" ] || arguments+=("--baseline=$BASELINE")

mkdir -p reports
rm -f reports/page.html reports/summary.md reports/gate.xml
code=0
python -m pytest "${arguments[@]}" "${given[@]}" || code=$?
note "code=$code"
