# One screen of what the collector shows on its metrics page, 24 lines by 80 columns for the reference site:
#   awk -f tools/summary.awk -v seconds=N PAGE...
# with the pages of the last N seconds, the oldest first. Rates are over that time; a counter that began anew counts from 0.
function label(name,    at) {
    at = index(labels, name "=\"")
    if (!at) return ""
    at = substr(labels, at + length(name) + 2)
    return substr(at, 1, index(at, "\"") - 1)
}
# add adds what a series has grown by since the page before.
function add(key) {
    if (labels in last) grown[key] += $NF >= last[labels] ? $NF - last[labels] : $NF
    last[labels] = $NF
    seen[key] = 1
}
function rate(key) { return seconds > 0 ? grown[key] / seconds : 0 }
# or shows a dash for what is not there: absent is not zero.
function or(format, there, value) { return there ? sprintf(format, value) : sprintf("%" length(sprintf(format, 0)) "s", "-") }
FNR == 1 { delete on; delete state; delete running; delete waiting; delete cache; delete busy; delete memory; delete power; delete heat; delete seen; delete ill; up = 0 }
/^#/ { next }
{
    name = $1
    sub(/\{.*/, "", name)
    labels = $0
    sub(/ [^ ]*$/, "", labels)
}
name == "hw_gpu_info" { uuid = label("hw_id"); if (!(uuid in number)) { number[uuid] = label("hw_gpu_index"); gpus++ } }
name == "hw_status" && $NF == 1 && label("hw_type") ~ /^(gpu)?$/ && label("hw_state") != "ok" { ill[label("hw_id")] = label("hw_state") }
name == "hw_gpu_sm_activity_ratio" { busy[label("hw_id")] = $NF }
name == "hw_gpu_memory_utilization_ratio" { memory[label("hw_id")] = $NF }
name == "hw_power_watts" { power[label("hw_id")] = $NF }
name == "hw_temperature_celsius" && label("hw_sensor_location") !~ /memory/ { heat[label("hw_id")] = $NF }
name == "llm_model_gpu_ratio" && $NF > 0 { on[label("hw_id")] = on[label("hw_id")] " " label("gen_ai_request_model") }
name == "vllm_server_state" && $NF == 1 { state[label("service_instance_id")] = label("vllm_server_state") }
name == "vllm_requests_running" { running[label("service_instance_id")] += $NF }
name == "vllm_requests_waiting" { waiting[label("service_instance_id")] += $NF }
name == "vllm_kv_cache_utilization_ratio" { cache[label("service_instance_id")] = $NF }
name == "vllm_tokens_input_total" { add("in " label("service_instance_id")) }
name == "vllm_tokens_output_total" { add("out " label("service_instance_id")) }
name == "litellm_up" { up = $NF }
name == "litellm_requests_finished_total" { add("requests"); if (label("http_response_status_code") !~ /^2/) add("failed") }
name == "litellm_spend_USD_total" { add("spend") }
name == "system_cpu_load_average_1m" { load = $NF }
END {
    printf "proxy %-5s %s requests/min %s failed/min %s USD/h   host load %.1f\n", up ? "up" : "DOWN", \
        or("%5.1f", "requests" in seen, 60 * rate("requests")), or("%4.1f", "requests" in seen, 60 * rate("failed")), or("%6.2f", "spend" in seen, 3600 * rate("spend")), load
    printf "\n%-4s%6s%8s%6s%5s  %s\n", "GPU", "busy", "memory", "watt", "°C", " models"
    for (i = 0; i < gpus && i < 8; i++) for (uuid in number) if (number[uuid] == i) {
        if (!(uuid in power)) printf "%-4s%s\n", i, "  " (uuid in ill ? ill[uuid] : "not readable")
        else printf "%-4s%s%s%s%s %.48s\n", i, or("%5.0f%%", uuid in busy, 100 * busy[uuid]), or("%7.0f%%", uuid in memory, 100 * memory[uuid]), \
            or("%6.0f", 1, power[uuid]), or("%5.0f", uuid in heat, heat[uuid]), (uuid in ill ? " " ill[uuid] ":" : "") on[uuid]
    }
    if (gpus > 8) printf "and %d more\n", gpus - 8
    printf "\n%-22s%-12s%8s%8s%7s%10s%11s\n", "server", "state", "running", "waiting", "cache", "in tok/s", "out tok/s"
    n = 0
    for (server in state) names[++n] = server
    for (i = 2; i <= n; i++) { one = names[i]; for (j = i - 1; j > 0 && names[j] > one; j--) names[j + 1] = names[j]; names[j + 1] = one }
    for (i = 1; i <= n && i <= 10; i++) {
        server = names[i]
        printf "%-22.22s%-12s%s%s%s%s%s\n", server, state[server], or("%8d", server in running, running[server]), or("%8d", server in waiting, waiting[server]), \
            or("%6.1f%%", server in cache, 100 * cache[server]), or("%10.1f", ("in " server) in seen, rate("in " server)), or("%11.1f", ("out " server) in seen, rate("out " server))
    }
    if (n > 10) printf "and %d more\n", n - 10
}
