#!/usr/bin/env bash
# What `make run` does: the collector on this host with the production
# configuration and, unless LOKI_OTLP_ENDPOINT names another, a Loki of our own
# for its logs. Both end with this script.
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

# The journal, where there is one that this user can read.
if [ -n "$(journalctl --quiet --lines 1 2>/dev/null)" ]; then
    configs+=(--config configs/overlays/journald.yaml)
fi

loki='' collector=''
# The collector first: it hands its last lines to Loki.
stop() {
    trap - EXIT
    trap '' INT TERM
    for pid in $collector $loki; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'exit 0' INT TERM

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
cat <<TXT

otelcol-llm watches this host.
  metrics   http://${metrics/0.0.0.0/localhost}/metrics
  logs      ${LOKI_OTLP_ENDPOINT:-http://localhost:23002/otlp}  (Loki; ask it with /loki/api/v1/query_range)
  health    http://${HEALTH_LISTEN:-127.0.0.1:13133}/
  pipelines http://${ZPAGES_LISTEN:-127.0.0.1:55679}/debug/pipelinez
  its log   .state/otelcol-llm.log
End with Ctrl-C.
TXT
wait "$collector" || failed
