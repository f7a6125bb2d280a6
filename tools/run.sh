#!/usr/bin/env bash
# What `make run` does: the collector on this host with the production
# configuration and, unless LOKI_OTLP_ENDPOINT names another, a Loki of our own
# for its logs. Both end with this script. With the argument demo, what `make
# demo` does: the same for a synthetic site, and a summary of it on the screen.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .state/loki
if [ ! -w .state ] || [ -e .state/otelcol-llm.log -a ! -w .state/otelcol-llm.log ]; then
    echo '.state belongs to another user, as after sudo make run: remove it, or run as that user' >&2
    exit 1
fi
export STATE_DIR=${STATE_DIR:-$PWD/.state/collector}
metrics=${METRICS_LISTEN:-127.0.0.1:8889}
configs=(--config configs/otelcol-llm.yaml)
demo=${1:-}

# The journal, where there is one that this user can read.
if [ "$demo" ]; then
    configs+=(--config configs/overlays/synthetic.yaml)
    # Fast enough to watch; everything else is as in production.
    export INFRA_INTERVAL=${INFRA_INTERVAL:-5s} VLLM_INTERVAL=${VLLM_INTERVAL:-5s} LITELLM_INTERVAL=${LITELLM_INTERVAL:-5s} LANGFUSE_INTERVAL=${LANGFUSE_INTERVAL:-5s}
    export SYNTHETIC_DIR=${SYNTHETIC_DIR:-$PWD/.state/synthetic}
    # Nobody should take it for a real server: its metrics and logs say host.name.
    export OTEL_RESOURCE_ATTRIBUTES=${OTEL_RESOURCE_ATTRIBUTES:-host.name=synthetic}
elif [ -n "$(journalctl --quiet --lines 1 2>/dev/null)" ]; then
    configs+=(--config configs/overlays/journald.yaml)
fi

loki='' collector=''
# The collector first: it hands its last lines to Loki.
stop() {
    trap - EXIT
    trap '' INT TERM HUP
    for pid in $collector $loki; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

if [ -z "${LOKI_OTLP_ENDPOINT:-}" ] && ! listens 23002; then
    [ -x .tools/loki ] || echo 'Building Loki for the logs: some 4 minutes, once. LOKI_OTLP_ENDPOINT names another.'
    make --no-print-directory "$PWD/.tools/.loki" >/dev/null
    # A session of its own: Ctrl-C is for this script, which ends Loki last.
    setsid .tools/loki -config.file=tools/loki/loki.yaml -config.expand-env=true >.state/loki.log 2>&1 &
    loki=$!
fi

setsid bin/otelcol-llm "${configs[@]}" >.state/otelcol-llm.log 2>&1 &
collector=$!

failed() {
    echo 'The collector ended; this is what it said last:' >&2
    grep -v 'discarding event' .state/otelcol-llm.log | tail -n 5 >&2
    exit 1
}
until grep -q 'Everything is ready' .state/otelcol-llm.log; do
    kill -0 "$collector" 2>/dev/null || failed
    sleep 0.2
done
watched='this host'
[ -z "$demo" ] || watched='a synthetic site'
cat <<TXT

otelcol-llm watches $watched.
  metrics   http://${metrics/0.0.0.0/localhost}/metrics
  logs      ${LOKI_OTLP_ENDPOINT:-http://localhost:23002/otlp}  (Loki; ask it with /loki/api/v1/query_range)
  health    http://${HEALTH_LISTEN:-127.0.0.1:13133}/
  pipelines http://${ZPAGES_LISTEN:-127.0.0.1:55679}/debug/pipelinez
  its log   .state/otelcol-llm.log${demo:+
  control   http://${SYNTHETIC_LISTEN:-127.0.0.1:23011}/  (scenarios, and what goes wrong)}
End with Ctrl-C.
TXT

# One screen, drawn anew every few seconds, with rates over the last minute;
# without a terminal it stays away.
summary() {
    local pages=.state/pages every=5 kept=12 n=0 first
    rm -rf "$pages"
    mkdir -p "$pages"
    while kill -0 "$collector" 2>/dev/null; do
        # The first page not before every source was read: rates are differences to it.
        if curl -sf "http://${metrics/0.0.0.0/localhost}/metrics" -o "$pages/$n" &&
            { [ "$n" -gt 0 ] || { grep -q '^litellm_tokens_input_total' "$pages/$n" && grep -q '^vllm_up' "$pages/$n"; }; }; then
            first=$((n > kept ? n - kept : 0))
            rm -f "$pages/$((first - 1))"
            printf '\033[H\033[2J%s   %s over %s s   http://%s/   Ctrl-C\n' \
                'synthetic site' "$(doing)" "$(((n - first) * every))" "${SYNTHETIC_LISTEN:-127.0.0.1:23011}"
            awk -v seconds=$(((n - first) * every)) -f tools/summary.awk $(seq -f "$pages/%.0f" "$first" "$n")
            n=$((n + 1))
        fi
        sleep "$every"
    done
}

# The scenario and what goes wrong, as the control API tells.
doing() {
    local api="http://${SYNTHETIC_LISTEN:-127.0.0.1:23011}" auth=() kinds
    [ -z "${SYNTHETIC_TOKEN:-}" ] || auth=(-H "Authorization: Bearer $SYNTHETIC_TOKEN")
    curl -sf "${auth[@]}" "$api/scenario" | sed -n 's/.*"scenario":"\([a-z_]*\)".*/\1/p' | tr -d '\n'
    kinds=$(curl -sf "${auth[@]}" "$api/anomalies" | grep -o '"id":[0-9]*,"kind":"[a-z_]*"' | sed 's/.*"kind":"\([a-z_]*\)"/\1/' | paste -sd ' ') || true
    printf '%s' "${kinds:+, $kinds}"
}
[ -z "$demo" ] || [ ! -t 1 ] || summary
wait "$collector" || failed
