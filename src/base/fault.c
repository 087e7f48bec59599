#include "base/fault.h"

#ifdef PLATEN_FAULTS

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int hits_left; /* 0: not armed by the test */
static _Atomic bool keeps_failing, delivered;

static pthread_once_t env_once = PTHREAD_ONCE_INIT;
static char env_site[64];
static _Atomic int env_left;
static bool env_keeps;
static const char *env_file;

static void read_env(void)
{
    env_file = getenv("PLATEN_FAULT_FILE");
    const char *s = getenv("PLATEN_FAULT");
    const char *colon = s != NULL ? strrchr(s, ':') : NULL;
    if (colon == NULL || (size_t)(colon - s) >= sizeof env_site)
        return;
    memcpy(env_site, s, (size_t)(colon - s));
    char *end = NULL;
    env_left = (int)strtol(colon + 1, &end, 10);
    env_keeps = end != NULL && *end == '+';
}

static bool site_matches(const char *pattern, const char *site)
{
    size_t n = strlen(pattern);
    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(pattern, site, n - 1) == 0;
    return strcmp(pattern, site) == 0;
}

static bool file_names(const char *site)
{
    if (env_file == NULL || access(env_file, R_OK) != 0)
        return false;
    FILE *f = fopen(env_file, "r");
    if (f == NULL)
        return false;
    char line[64];
    bool hit = false;
    while (!hit && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = 0;
        hit = site_matches(line, site);
    }
    fclose(f);
    return hit;
}

/* Count down; true on the n-th hit, and after it when the fault stays. */
static bool count_down(_Atomic int *left, bool stays)
{
    int now = atomic_load(left);
    while (now > 0) {
        int next = now == 1 ? (stays ? 1 : 0) : now - 1;
        if (atomic_compare_exchange_weak(left, &now, next))
            return now == 1;
    }
    return false;
}

bool fault_hit(const char *site)
{
    pthread_once(&env_once, read_env);
    if (env_site[0] != 0 && site_matches(env_site, site) && count_down(&env_left, env_keeps))
        return true;
    if (env_file != NULL && file_names(site))
        return true;
    if (!count_down(&hits_left, keeps_failing))
        return false;
    delivered = true;
    return true;
}

void fault_arm(int nth)
{
    delivered = false;
    keeps_failing = false;
    hits_left = nth;
}

void fault_arm_on(int nth)
{
    fault_arm(nth);
    keeps_failing = true;
}

bool fault_disarm(void)
{
    hits_left = 0;
    return atomic_exchange(&delivered, false);
}

#else
typedef int fault_is_compiled_out;
#endif
