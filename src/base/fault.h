/* fault.h: make the world fail on purpose.
 *
 * fault_hit("site") stands where code meets the world (memory, disk, processes). In builds with
 * faults (meson -Dfaults=true: the sanitizer build that the tests use) a test arms it; elsewhere it
 * is a constant false and costs nothing.
 *
 *   fault_arm(n)       the n-th hit from now fails, once          (unit tests: n = 1, 2, 3 … until none is left)
 *   fault_arm_on(n)    the n-th hit and every one after it fail   (a disk that is full stays full)
 *   fault_disarm()     stop; true when a fault was delivered
 *
 * A whole process can be armed from outside: PLATEN_FAULT="site:n" or "site:n+" counts only that
 * site ("blob.write:3+"); a site ending in * matches by prefix. A file named by PLATEN_FAULT_FILE,
 * when it exists, arms every site listed in it for as long as it exists (one site per line): how a
 * test fills and empties a disk.
 *
 * Threads: counters are atomic; arm from one thread while the others are quiet. */
#ifndef PLATEN_BASE_FAULT_H
#define PLATEN_BASE_FAULT_H

#include "base/macros.h"

#ifdef PLATEN_FAULTS
bool fault_hit(const char *site);
void fault_arm(int nth);
void fault_arm_on(int nth);
bool fault_disarm(void);
#else
static inline bool fault_hit(const char *site)
{
    (void)site;
    return false;
}
static inline void fault_arm(int nth)
{
    (void)nth;
}
static inline void fault_arm_on(int nth)
{
    (void)nth;
}
static inline bool fault_disarm(void)
{
    return false;
}
#endif

#endif
