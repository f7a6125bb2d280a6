# Prints statement coverage of our own code from a Go cover profile, package by
# package, and fails below 90 %. Generated code and what only tests use are left out. A block may stand in
# the profile once for each test binary; it is covered if any of them ran it.
NR == 1 { next }
{
    split($1, at, ":")
    file = at[1]
    if (file ~ /generated_/ || file ~ /test\/[^\/]*$/) next
    statements[$1] = $2
    if ($3 > 0) covered[$1] = 1
}
END {
    for (block in statements) {
        split(block, at, ":")
        package = at[1]
        sub(/\/[^\/]*$/, "", package)
        sub(/^github.com\/otelcol-llm\/otelcol-llm\//, "", package)
        total[package] += statements[block]
        all += statements[block]
        if (block in covered) { hit[package] += statements[block]; hits += statements[block] }
    }
    for (package in total) {
        percent = 100 * hit[package] / total[package]
        printf "coverage %5.1f %%  %s\n", percent, package
        if (percent < 90) low = low " " package
    }
    printf "coverage %5.1f %%  in all\n", 100 * hits / all
    if (low != "") { print "below 90 %:" low; exit 1 }
}
