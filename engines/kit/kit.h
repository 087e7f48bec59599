/* kit.h: everything a C engine links, and the engine protocol (version 1).
 *
 * An engine is an executable that
 *   (a) prints its contracts for --describe: {"platen":1,"engine":"image","version":"1","warm":true,"steps":[…]}, and
 *   (b) speaks the protocol on descriptor 3, a SOCK_SEQPACKET socket: one JSON object per message (at most
 *       KIT_MESSAGE_MAX bytes), descriptors attached by SCM_RIGHTS in the order the message names them.
 *
 *   host → engine  {"run":{"step","params":{…},"limits":{time_ms,cpu_ms,memory_bytes,output_bytes},
 *                          "inputs":[{"name","type","size"}]}} + one descriptor per input
 *   engine → host  {"output":{"name","type"}}         answered by  {"output":{}} + a descriptor to write to
 *   engine → host  {"scratch":{}}                     answered by  {"scratch":{}} + a nameless file to write and read
 *   engine → host  {"call":{"step","params":{…},"inputs":[{"name","type"}]}} + one descriptor per input
 *                  answered by {"call":{"data":{…},"outputs":[{"name","type","size"}]}} + one descriptor per output,
 *                  or {"call":{"error":{"reason","message","hint","param"}}}: another step, run in between
 *                  (step_call in core/step.h)
 *   engine → host  {"progress":{"done","total","note"}}
 *   engine → host  {"usage":{"unit","amount"}}
 *   engine → host  {"note":{"text"}}
 *   engine → host  {"result":{"data":{…}}}            the end
 *   engine → host  {"error":{"reason","message","hint","param"}}   the end
 *
 * A plain engine (a Python script, say) handles one run and exits; the host starts one process per
 * task.
 *
 * A warm engine ("warm":true; all that use this kit) loads libraries once, single-threaded, and
 * forks per task. It is started with --warm; on descriptor 3 the host sends
 *   host → engine  {"task":{}} + one end of a new SEQPACKET socket (the task's channel)
 *   engine → host  {"task":{"pid":n}} + a pidfd, on the task's channel, as its first message
 * The child closes everything else, enters the sandbox (kit/sandbox.h) and speaks the protocol
 * above on the channel. When the child has ended, the warm parent sends on the channel, as its last
 * message,
 *   engine → host  {"exit":{"code":n,"cpu_ms","memory_bytes"}} or {"exit":{"signal":n,"cpu_ms","memory_bytes"}}
 * so the host learns of a crash without being the child's parent. The host kills through the pidfd.
 * A parent that cannot fork says {"error":{…}} on the channel instead of {"task":…}; one that
 * cannot warm up says {"error":{…}} on descriptor 3. The host answers an output it cannot give by
 * ending the task; an engine may still read {"error":{…}} there.
 *
 * The shape of a C engine's main file:
 *
 *   static ErrCode warm(Err *err) { … initialise libraries, load fonts and modules … }
 *   static const Step *const steps[] = {&step_image_convert, &step_image_info, NULL};
 *   int main(int argc, char **argv)
 *   {
 *       return kit_main(argc, argv, &(KitEngine){.name = "image", .version = "1", .steps = steps, .warm = warm});
 *   }
 *
 * For work at the desk, `platen-engine-image --run image.convert '{"width":320}' photo.jpg -o DIR
 * [--type image/jpeg] [--no-sandbox]` runs one task in a sandboxed child and prints its messages; a
 * forbidden system call is named.
 *
 * An engine whose library or program takes long to start keeps resident workers besides:
 * kit/resident.h.
 *
 * Out of memory: a step that returns ERR_NO_MEMORY, and a library that aborts or crashes with errno
 * at ENOMEM, end as limit_memory. Fault sites: kit.send, kit.receive, warm.fork. */
#ifndef PLATEN_KIT_KIT_H
#define PLATEN_KIT_KIT_H

#include "core/step.h"

enum { KIT_PROTOCOL = 1, KIT_MESSAGE_MAX = 128 * 1024, KIT_FDS_MAX = 128, KIT_FD = 3 };

typedef struct KitEngine {
    const char *name, *version;
    const Step *const *steps; /* ends with NULL */
    /* Load all that is needed later: nothing can be opened or dlopened inside the sandbox. No
     * thread may be left when it is done (one that is ending is waited for; one that stays is an
     * error). */
    ErrCode (*warm)(Err *err);
    /* Called in the child of each task, with the step it is for, after everything of the parent's is
     * closed and before the sandbox closes: the place to open what the step needs and the sandbox
     * forbids (a connection to a local daemon). It has not read a byte of the input. NULL: nothing
     * to do. An error ends the task; whatever is optional is no error. */
    ErrCode (*before)(const Step *step, Err *err);
    /* Extra arena ceiling for one task; 0: 256 MiB. */
    size_t arena_bytes;
    /* Workers that live for many tasks (kit/resident.h); NULL: the engine needs none. */
    const struct KitResident *resident;
} KitEngine;

int kit_main(int argc, char **argv, const KitEngine *engine);

/* One message. Send waits; receive waits and puts at most KIT_FDS_MAX descriptors into fds
 * (*fds_len in: room, out: got). ERR_WORKER_LOST: the other side has closed. ERR_ENGINE_PROTOCOL:
 * too long, or more descriptors than fit. */
MUST_CHECK ErrCode kit_send(int socket, Str json, const int *fds, size_t fds_len, Err *err);
MUST_CHECK ErrCode kit_receive(int socket, char *buffer, size_t size, Str *out, int *fds,
                               size_t *fds_len, Err *err);

#endif
