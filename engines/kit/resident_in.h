/* resident_in.h: the warm parent's side of resident workers, for warm.c and desk.c. */
#ifndef PLATEN_KIT_RESIDENT_IN_H
#define PLATEN_KIT_RESIDENT_IN_H

#include "kit/kit.h"
#include "kit/resident.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/types.h>

enum { RESIDENT_FD = KIT_FD + 1, RESIDENTS_MAX = 16 };

typedef enum ResidentState {
    RESIDENT_EMPTY,
    RESIDENT_STARTING,
    RESIDENT_READY,
    RESIDENT_BUSY,
    RESIDENT_SETTLING,
} ResidentState;

typedef struct Resident {
    ResidentState state;
    pid_t pid;   /* 0: none */
    int socket;  /* the other end is the worker's */
    int64_t due; /* STARTING, SETTLING: it must have answered by then (clock_mono_us) */
    int tasks;
    pid_t clerk; /* BUSY */
    char folder[96];
} Resident;

typedef struct Residents {
    const KitEngine *engine;
    const KitResident *kind;
    Resident items[RESIDENTS_MAX];
    int len;
    int failed_starts;   /* in a row */
    int64_t retry_at_us; /* empty places stay empty until then */
    Err problem;         /* of the last start that failed */
    _Atomic int *marks;  /* one per place, shared with clerks: ResidentMark */
    char base[80];       /* folder of folders; its lock says that its owner lives */
    int base_fd;
} Residents;

/* How far a clerk has come with its worker. The host may kill a clerk that has said its result, so
 * the way it ended does not tell. */
enum { RESIDENT_UNASKED, RESIDENT_ASKED, RESIDENT_ANSWERED };

/* All start; nothing waits. */
MUST_CHECK ErrCode residents_open(Residents *r, const KitEngine *engine, Err *err);
void residents_close(Residents *r); /* kills them and removes their folders */

/* A READY worker, or NULL. */
Resident *residents_ready(Residents *r);
/* A clerk is about to be forked for it; then: it is this one (0: it could not be forked). */
_Atomic int *residents_mark(Residents *r, const Resident *w);
void residents_take(Resident *w, pid_t clerk);
/* No worker is to be had before a pause is over, and r->problem says why. */
bool residents_hopeless(const Residents *r);
/* Leave nothing behind: the host may be about to kill this process for having no worker. */
void residents_tidy(Residents *r);

/* A child has ended: of ours, a worker or the clerk of one? */
void residents_note_end(Residents *r, pid_t pid, bool well);
/* What to poll for (at most RESIDENTS_MAX), how long at most (ms, -1: for ever); then what is due
 * is done. */
size_t residents_watch(const Residents *r, struct pollfd *fds);
int residents_timeout_ms(const Residents *r);
void residents_tend(Residents *r);

/* In the new clerk: where it notes how far it has come. */
void resident_clerk(_Atomic int *mark);
/* In the new worker. */
_Noreturn void resident_live(const KitEngine *engine, int socket, const char *folder, pid_t parent);

#endif
