/* macros.h: the handful of macros every file may use.
 *
 * MUST_CHECK   the caller has to look at the result.
 * PRINTF(f,a)  argument f is a printf format, its values start at argument a.
 * CLEANUP(fn)  run fn(&variable) when the variable leaves its scope; fn accepts an empty variable.
 * COUNT_OF(a)  number of elements of a real array. */
#ifndef PLATEN_BASE_MACROS_H
#define PLATEN_BASE_MACROS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>

#define MUST_CHECK   __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)  __attribute__((cleanup(fn)))
#define COUNT_OF(a)  (sizeof(a) / sizeof((a)[0]))

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#endif
