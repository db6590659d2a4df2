#!/usr/bin/env bash
# Runs parts of the test suite one after the other: run-parts.sh [PART...], all of them without a name.
# A failed part does not stop the next ones: one run reports everything there is to repair. Ends with
# the list of results and times, and with status 1 if any part failed.
set -u
. "$(dirname "$0")/lib.sh"
. tests/tools/parts.sh

[ $# -eq 0 ] && set -- $ALL_PARTS
for part in "$@"; do
  case " $ALL_PARTS " in
    *" $part "*) ;;
    *) fail "unknown part '$part'; known: $ALL_PARTS" ;;
  esac
done

# Ctrl-C ends the whole run, not only the part that is running.
trap 'say; say "interrupted"; exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ]; then
  good=$'\033[32m' bad=$'\033[31m' bold=$'\033[1m' plain=$'\033[0m'
else
  good="" bad="" bold="" plain=""
fi

total=$#
number=0
failed=""
summary=""
began=$SECONDS
for part in "$@"; do
  number=$((number + 1))
  name=${part//-/_}
  title_variable=title_$name
  title=${!title_variable}
  say
  say "${bold}== $number/$total $part: $title${plain}"
  started=$SECONDS
  # A subshell: what a part sets or where it goes stays with it.
  if ("part_$name"); then
    verdict="${good}ok${plain}    "
  else
    verdict="${bad}FAILED${plain}"
    failed="$failed $part"
  fi
  line=$(printf '%s %5ds  %-12s %s' "$verdict" $((SECONDS - started)) "$part" "$title")
  say "-- $line"
  summary="$summary
$line"
done

say
say "${bold}Results${plain}$summary"
say
if [ -n "$failed" ]; then
  say "${bad}FAILED:$failed${plain} (${total} parts, $((SECONDS - began)) s). One part again: tests/tools/run-parts.sh NAME"
  exit 1
fi
say "${good}All $total parts passed${plain} in $((SECONDS - began)) s."
