# Named stages with their times, for the scripts that source this file. A failed stage does not
# hide the next one: all of them run, the summary names each, and `summary` fails if one did.
stage_lines=""
stage_failures=0
stages_began=$(date +%s)

stage() {
    stage_name=$1
    shift
    printf '\n==> %s\n' "$stage_name"
    stage_began=$(date +%s)
    if "$@"; then stage_verdict=ok; else stage_verdict=FAILED; fi
    [ "$stage_verdict" = ok ] || stage_failures=$((stage_failures + 1))
    stage_line=$(printf '%-8s %4d s  %s' \
        "$stage_verdict" $(($(date +%s) - stage_began)) "$stage_name")
    stage_lines="$stage_lines$stage_line
"
}

summary() {
    printf '\n%s: %d s in all\n%s' "$1" $(($(date +%s) - stages_began)) "$stage_lines"
    if [ "$stage_failures" -gt 0 ]; then
        printf '%s: %d failed\n' "$1" "$stage_failures"
        return 1
    fi
    printf '%s: all passed\n' "$1"
}
