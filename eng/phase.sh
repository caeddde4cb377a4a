# Progress for people: one line a phase on stderr, with a tick and its seconds; the details go to a log. Sourced, not run.
if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then phase_tty=1; else phase_tty=; fi
if [ -n "$phase_tty" ] && [ -z "${NO_COLOR:-}" ]; then
  phase_green=$'\e[32m' phase_red=$'\e[31m' phase_yellow=$'\e[33m' phase_dim=$'\e[2m' phase_off=$'\e[0m'
else
  phase_green='' phase_red='' phase_yellow='' phase_dim='' phase_off=''
fi
case "${LC_ALL:-${LC_CTYPE:-${LANG:-C.UTF-8}}}" in
  *[Uu][Tt][Ff]*) phase_ok='✓' phase_bad='✗' phase_note='!' phase_wait='…' ;;
  *) phase_ok='ok' phase_bad='x' phase_note='!' phase_wait='...' ;;
esac

note() { printf '  %s%s%s %s\n' "$phase_yellow" "$phase_note" "$phase_off" "$*" >&2; }

die() { printf '  %s%s%s %s\n' "$phase_red" "$phase_bad" "$phase_off" "$1" >&2; shift; [ $# -eq 0 ] || printf '      %s\n' "$@" >&2; exit 1; }

seconds_since() { # microseconds of $EPOCHREALTIME → "12.3s"
  local now=${EPOCHREALTIME/[.,]/}
  local tenths=$(((now - $1) / 100000))
  printf '%d.%ds' $((tenths / 10)) $((tenths % 10))
}

done_line() { # name, start, remark
  [ -z "$phase_tty" ] || printf '\r\e[K' >&2
  printf '  %s%s%s %-20s %7s  %s%s%s\n' "$phase_green" "$phase_ok" "$phase_off" "$1" "$(seconds_since "$2")" \
    "$phase_dim" "${3:-}" "$phase_off" >&2
}

fail_lines() { # name, start, log
  [ -z "$phase_tty" ] || printf '\r\e[K' >&2
  printf '  %s%s%s %-20s %7s\n' "$phase_red" "$phase_bad" "$phase_off" "$1" "$(seconds_since "$2")" >&2
  if [ -s "$3" ]; then
    printf '      the last lines of %s:\n' "$3" >&2
    tail -n 25 "$3" | sed 's/^/      /' >&2
  fi
}

# phase NAME LOG COMMAND… : runs the command with its output appended to LOG; shows the running seconds on a terminal.
phase() {
  local name=$1 log=$2 start=${EPOCHREALTIME/[.,]/} pid status
  shift 2
  mkdir -p "$(dirname "$log")"
  printf '\n=== %s: %s\n' "$name" "$*" >>"$log"
  [ -n "$phase_tty" ] || printf '  %s %s\n' "$phase_wait" "$name" >&2
  "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  if [ -n "$phase_tty" ]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r\e[K  %s %-20s %7s' "$phase_wait" "$name" "$(seconds_since "$start")" >&2
      sleep 0.3
    done
  fi
  if wait "$pid"; then done_line "$name" "$start"; else status=$?; fail_lines "$name" "$start" "$log"; return "$status"; fi
}
