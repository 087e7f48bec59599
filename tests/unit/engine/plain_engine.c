/* plain_engine.c: a small program that speaks the protocol without the kit: one task, one output.
 * Quicker to start than an interpreter, so that the loop over all faults stays short. */
#include "kit/kit.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char description[] =
    "{\"platen\":1,\"engine\":\"plain\",\"version\":\"1\",\"steps\":[{\"name\":\"plain.hello\","
    "\"title\":\"Say hello\","
    "\"summary\":\"Write a greeting.\",\"since\":\"0.1\",\"internal\":true}]}\n";

int main(int argc, char **argv)
{
    static char buffer[KIT_MESSAGE_MAX];
    Str text;
    int fd = -1;
    size_t fds_len = 0;
    if (argc > 1 && strcmp(argv[1], "--describe") == 0)
        return fputs(description, stdout) < 0;
    if (kit_receive(KIT_FD, buffer, sizeof buffer, &text, NULL, &fds_len, NULL) != OK ||
        kit_send(KIT_FD, STR("{\"output\":{\"name\":\"a\",\"type\":\"text/plain\"}}"), NULL, 0,
                 NULL) != OK)
        _exit(1);
    fds_len = 1;
    if (kit_receive(KIT_FD, buffer, sizeof buffer, &text, &fd, &fds_len, NULL) != OK ||
        fds_len != 1 || fd_write_all(fd, "hello", 5, NULL) != OK)
        _exit(2);
    _exit(kit_send(KIT_FD, STR("{\"result\":{\"data\":{\"said\":\"hello\"}}}"), NULL, 0, NULL) == OK
              ? 0
              : 3);
}
