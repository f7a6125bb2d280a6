#!/usr/bin/env bash
# What `make run` does: the collector on this host with the production
# configuration and, unless LOKI_OTLP_ENDPOINT names another, a Loki of our own
# for its logs. Both end with this script.
set -euo pipefail
cd "$(dirname "$0")/.."

export STATE_DIR=${STATE_DIR:-$PWD/.state/collector}
mkdir -p .state/loki
configs=(--config configs/otelcol-llm.yaml)

# The journal, where there is one that this user can read.
if [ -n "$(journalctl --quiet --lines 1 2>/dev/null)" ]; then
    configs+=(--config configs/overlays/journald.yaml)
fi

children=()
stop() {
    trap - EXIT
    [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
    wait || true
}
trap stop EXIT
trap 'exit 0' INT TERM

listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

if [ -z "${LOKI_OTLP_ENDPOINT:-}" ] && ! listens 23002; then
    echo 'Building Loki for the logs (the first time takes some 4 minutes; set LOKI_OTLP_ENDPOINT to use yours) ...'
    make --no-print-directory "$PWD/.tools/.loki" >/dev/null
    .tools/loki -config.file=tools/loki/loki.yaml -config.expand-env=true >.state/loki.log 2>&1 &
    children+=($!)
fi

bin/otelcol-llm "${configs[@]}" >.state/otelcol-llm.log 2>&1 &
children+=($!)
collector=$!

until listens 8889; do
    kill -0 "$collector" 2>/dev/null || { tail -n 20 .state/otelcol-llm.log; exit 1; }
    sleep 0.2
done
cat <<TXT

otelcol-llm watches this host.
  metrics   http://localhost:8889/metrics
  logs      ${LOKI_OTLP_ENDPOINT:-http://localhost:23002/otlp}  (Loki; ask it with /loki/api/v1/query_range)
  health    http://localhost:13133/
  pipelines http://localhost:55679/debug/pipelinez
  its log   .state/otelcol-llm.log
Set VLLM_ENDPOINTS, such as '[http://localhost:8000, http://localhost:8001]', to say which vLLM servers to read.
End with Ctrl-C.
TXT
wait "$collector"
