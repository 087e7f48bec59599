/* backup: everything as one download, made while the server works. */
#include "api/archive.h"
#include "api/routes.h"
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

void backup_create(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    ArchiveTotals totals;
    CLEANUP(fd_close) int fd = -1;
    ErrCode rc = blob_temp(c.app->blobs, &fd, &c.err);
    if (rc == OK)
        rc = archive_create(c.app->db, c.app->blobs, c.app->options.data_dir, fd, &totals, &c.err);
    if (rc == OK && lseek(fd, 0, SEEK_SET) != 0)
        rc = err_set_errno(&c.err, ERR_IO, errno, "could not rewind the backup");
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    int64_t size = fd_size(fd);
    http_answer_file(req, fd_take(&fd), size, STR("application/x-tar"), (Str){0},
                     STR("platen-backup.tar"));
}
