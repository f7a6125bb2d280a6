# One screen of what the collector shows on its metrics page: awk -f tools/summary.awk -v seconds=N OLD NEW, with the page of
# N seconds ago and the present one.
function label(name,    at) {
    at = index(labels, name "=\"")
    if (!at) return ""
    at = substr(labels, at + length(name) + 2)
    return substr(at, 1, index(at, "\"") - 1)
}
function rate(key) { return seconds > 0 && key in old ? (sum[key] - old[key]) / seconds : 0 }
function add(key) { sum[key] += $NF }
FNR == 1 && NR > 1 {
    for (key in sum) old[key] = sum[key]
    delete sum; delete on; delete state; delete running; delete waiting
}
/^#/ { next }
{
    name = $1
    sub(/\{.*/, "", name)
    labels = $0
    sub(/^[^{]*\{/, "{", labels)
}
name == "hw_gpu_info" { uuid = label("hw_id"); if (!(uuid in number)) { number[uuid] = label("hw_gpu_index"); gpus++ } }
name == "hw_gpu_utilization_ratio" && label("hw_gpu_task") ~ /^(general)?$/ { busy[label("hw_id")] = $NF }
name == "hw_gpu_memory_utilization_ratio" { memory[label("hw_id")] = $NF }
name == "hw_power_watts" { power[label("hw_id")] = $NF }
name == "hw_temperature_celsius" && label("hw_sensor_location") !~ /memory/ { heat[label("hw_id")] = $NF }
name == "llm_model_gpu_ratio" { on[label("hw_id")] = on[label("hw_id")] " " label("gen_ai_request_model") }
name == "vllm_server_state" && $NF == 1 { state[label("service_instance_id")] = label("vllm_server_state") }
name == "vllm_requests_running" { running[label("service_instance_id")] += $NF }
name == "vllm_requests_waiting" { waiting[label("service_instance_id")] += $NF }
name == "vllm_kv_cache_utilization_ratio" { cache[label("service_instance_id")] = $NF }
name == "vllm_tokens_output_total" { add("out " label("service_instance_id")) }
name == "litellm_requests_finished_total" { add("requests"); if (label("http_response_status_code") !~ /^2/) add("failed") }
name == "litellm_spend_USD_total" { add("spend") }
name == "litellm_tokens_input_total" { add("in") }
name == "litellm_tokens_output_total" { add("out") }
name == "system_cpu_load_average_1m" { load = $NF }
END {
    printf "requests %6.1f /min   failed %5.1f /min   tokens in %7.0f /s   out %6.0f /s   spend %7.2f USD/h   host load %.1f\n\n", \
        60 * rate("requests"), 60 * rate("failed"), rate("in"), rate("out"), 3600 * rate("spend"), load
    printf "%-4s %6s %7s %6s %6s  %s\n", "GPU", "busy", "memory", "watt", "°C", "models"
    for (i = 0; i < gpus; i++) for (uuid in number) if (number[uuid] == i)
        printf "%-4s %5.0f%% %6.0f%% %6.0f %5.0f  %s\n", i, 100 * busy[uuid], 100 * memory[uuid], power[uuid], heat[uuid], on[uuid]
    printf "\n%-22s %-12s %8s %8s %7s %9s\n", "server", "state", "running", "waiting", "cache", "tokens/s"
    n = 0
    for (server in state) names[++n] = server
    for (i = 2; i <= n; i++) { one = names[i]; for (j = i - 1; j > 0 && names[j] > one; j--) names[j + 1] = names[j]; names[j + 1] = one }
    for (i = 1; i <= n && i <= 20; i++) {
        server = names[i]
        printf "%-22s %-12s %8d %8d %6.1f%% %9.1f\n", server, state[server], running[server], waiting[server], 100 * cache[server], rate("out " server)
    }
    if (n > 20) printf "and %d more\n", n - 20
}
