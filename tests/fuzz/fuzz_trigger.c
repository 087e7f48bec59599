/* Any JSON as `on:` of a pipeline, and any bytes as a bucket's list: no crash, no hang. */
#include "hook/trigger_bucket.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    static const Param inputs[] = {{.name = "size", .type = PARAM_TYPE_INT}, PARAM_END};
    Str text = {(const char *)bytes, size}, object;
    PipelineFaults *faults = arena_new(a, PipelineFaults, 1);
    Pipeline p = {.inputs = inputs};
    Err err = {0};
    for (size_t at = 0; next_element(text, "Contents", &at, &object);)
        if (!str_is_utf8(decoded(element(object, "Key"), a)))
            abort();
    if (json_parse(a, text, &p.on, &err) != OK)
        return 0;
    ErrCode rc = trigger_check(&p, p.on, a, faults, &err);
    if (rc == ERR_BAD_PIPELINE && faults->len == 0)
        abort();
    return 0;
}
