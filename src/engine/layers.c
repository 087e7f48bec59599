/* layers.c: what encloses engines on this machine, in words. */
#include "engine/engine.h"
#include "kit/sandbox.h"

#include <unistd.h>

static void add(EngineLayer *all, size_t *n, EngineVerdict verdict, const char *name, Str found,
                const char *meaning)
{
    all[(*n)++] = (EngineLayer){name, verdict, found, meaning};
}

size_t engine_layers(Arena *a, EngineLayer **out)
{
    enum { LAYERS_MAX = 8 };
    SandboxLayers l = sandbox_layers();
    SandboxNamespaces s = sandbox_namespaces();
    EngineLayer *all = arena_new(a, EngineLayer, LAYERS_MAX);
    size_t n = 0;
    *out = all;
    if (all == NULL)
        return 0;
    add(all, &n, l.no_new_privs ? ENGINE_FINE : ENGINE_BAD, "no new privileges",
        l.no_new_privs ? STR("active") : STR("the kernel refuses it"),
        "A program that an engine might start gains no rights.");
    add(all, &n, l.seccomp ? ENGINE_FINE : ENGINE_BAD, "system call filter",
        l.seccomp ? STR("active") : STR("the kernel has no seccomp filters; engines will not run"),
        "An engine can compute and use the descriptors it was given: no files, network or "
        "programs.");
    add(all, &n, l.landlock_abi > 0 ? ENGINE_FINE : ENGINE_NOTE, "Landlock",
        l.landlock_abi > 0
            ? str_printf(a, "active, ABI %d", l.landlock_abi)
            : STR("this kernel has none; the call filter keeps files closed all the same"),
        "A second lock on the file system, besides the call filter.");
    add(all, &n, s.network ? ENGINE_FINE : ENGINE_NOTE, "network namespaces",
        s.network ? STR("active: the browser has no network interface")
                  : STR("refused here; the call filter alone cuts the browser's network"),
        "The browser engine sees no network at all.");
    add(all, &n, s.user ? ENGINE_FINE : ENGINE_NOTE, "user namespaces",
        s.user ? STR("active: the browser encloses its pages itself, inside our sandbox")
               : STR("refused here; the browser's pages are in our sandbox alone"),
        "The browser engine keeps its pages apart from each other.");
    add(all, &n, l.memory_limit ? ENGINE_FINE : ENGINE_NOTE, "memory limit",
        l.memory_limit ? STR("active") : STR("off in this build (AddressSanitizer)"),
        "A file that would fill the memory ends its own task.");
    return n;
}
