#include "trace/metrics.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct MetricInfo {
    const char *name, *type, *help;
} MetricInfo;

#define COUNTER "counter"
#define GAUGE   "gauge"
static const MetricInfo infos[METRIC_COUNT] = {
#define METRIC(name, text, type, help) [METRIC_##name] = {text, type, help},
#include "trace/metrics.def"
#undef METRIC
};

/* Upper bounds of the histogram, microseconds. */
static const int64_t bounds_us[] = {500,    1000,   2500,   5000,    10000,   25000,   50000,
                                    100000, 250000, 500000, 1000000, 2500000, 10000000};
static _Atomic int64_t answers[3], buckets[COUNT_OF(bounds_us) + 1], total_us;

void metrics_answer(int status, int64_t us)
{
    size_t class = status >= 500 ? 2 : status >= 400 ? 1 : 0, bucket = 0;
    while (bucket < COUNT_OF(bounds_us) && us > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&answers[class], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&total_us, us, memory_order_relaxed);
}

void metrics_family(Buf *b, const char *name, const char *type, const char *help)
{
    buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_put(Buf *b, Metric m, int64_t value)
{
    metrics_family(b, infos[m].name, infos[m].type, infos[m].help);
    buf_addf(b, "%s %" PRId64 "\n", infos[m].name, value);
}

void metrics_put_answers(Buf *b)
{
    static const char name[] = "platen_http_request_seconds";
    for (size_t class = 0; class < COUNT_OF(answers); class ++)
        metrics_put(b, (Metric)(METRIC_HTTP_2XX + class), answers[class]);
    metrics_family(b, name, "histogram", "Time from a request's head to its answer.");
    int64_t sum = 0;
    for (size_t i = 0; i < COUNT_OF(bounds_us); i++) {
        sum += buckets[i];
        buf_addf(b, "%s_bucket{le=\"%g\"} %" PRId64 "\n", name, (double)bounds_us[i] / 1e6, sum);
    }
    sum += buckets[COUNT_OF(bounds_us)];
    buf_addf(b, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, sum);
    buf_addf(b, "%s_sum %.6f\n%s_count %" PRId64 "\n", name, (double)total_us / 1e6, name, sum);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void put_label(Buf *b, const char *name, Str value)
{
    buf_addf(b, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\' || c == '"')
            buf_add_char(b, '\\');
        if (c == '\n')
            buf_add_c(b, "\\n");
        else
            buf_add_char(b, c);
    }
    buf_add_char(b, '"');
}

void metrics_sample(Buf *b, const char *name, const char *label, Str value, const char *label2,
                    Str value2, int64_t v)
{
    buf_addf(b, "%s{", name);
    put_label(b, label, value);
    if (label2 != NULL) {
        buf_add_char(b, ',');
        put_label(b, label2, value2);
    }
    buf_addf(b, "} %" PRId64 "\n", v);
}

int64_t metrics_resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    Str rest = {text, (size_t)n}, field;
    int64_t pages = 0;
    if (!str_next(&rest, ' ', &field) || !str_next(&rest, ' ', &field) ||
        !str_to_i64(field, &pages))
        return 0;
    return pages * sysconf(_SC_PAGESIZE);
}
