#include "media/fonts.h"

#include <fcntl.h>
#include <fontconfig/fontconfig.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FONTS_MAX = 24, BYTES_MAX = 64 << 20 };

/* A language for each script that subtitles are written in. */
static const char *const languages[] = {"en",    "ru",    "el", "ar", "he", "hi", "th",
                                        "zh-cn", "zh-tw", "ja", "ko", "am", "ka", "hy"};

typedef struct Font {
    char path[512], family[100];
    void *bytes;
    size_t size;
} Font;
static Font fonts[FONTS_MAX];
static size_t fonts_len, fonts_bytes;

static bool known(const char *path)
{
    for (size_t i = 0; i < fonts_len; i++)
        if (strcmp(fonts[i].path, path) == 0)
            return true;
    return false;
}

static void map_font(const char *path, const char *family)
{
    struct stat st;
    if (fonts_len == FONTS_MAX || known(path) || strlen(path) >= sizeof fonts[0].path)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && fonts_bytes + (size_t)st.st_size <= BYTES_MAX) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            Font *f = &fonts[fonts_len++];
            snprintf(f->path, sizeof f->path, "%s", path);
            snprintf(f->family, sizeof f->family, "%s", family);
            f->bytes = p;
            f->size = (size_t)st.st_size;
            fonts_bytes += f->size;
        }
    }
    close(fd);
}

static void find_font(FcConfig *config, const char *language)
{
    FcResult result;
    FcChar8 *path = NULL, *family = NULL;
    FcPattern *want = FcPatternCreate();
    if (want == NULL)
        return;
    FcPatternAddString(want, FC_FAMILY, (const FcChar8 *)"sans-serif");
    FcPatternAddString(want, FC_LANG, (const FcChar8 *)language);
    FcConfigSubstitute(config, want, FcMatchPattern);
    FcDefaultSubstitute(want);
    FcPattern *font = FcFontMatch(config, want, &result);
    if (font != NULL && FcPatternGetString(font, FC_FILE, 0, &path) == FcResultMatch &&
        FcPatternGetString(font, FC_FAMILY, 0, &family) == FcResultMatch)
        map_font((const char *)path, (const char *)family);
    if (font != NULL)
        FcPatternDestroy(font);
    FcPatternDestroy(want);
}

ErrCode fonts_warm(Err *err)
{
    (void)err; /* without fonts only burning in fails, and says so */
    FcConfig *config = FcInitLoadConfigAndFonts();
    if (config == NULL)
        return OK;
    for (size_t i = 0; i < COUNT_OF(languages); i++)
        find_font(config, languages[i]);
    FcConfigDestroy(config);
    FcFini();
    return OK;
}

bool fonts_add(ASS_Library *library)
{
    for (size_t i = 0; i < fonts_len; i++)
        ass_add_font(library, fonts[i].family, fonts[i].bytes, (int)fonts[i].size);
    return fonts_len > 0;
}

const char *fonts_default(void)
{
    return fonts_len > 0 ? fonts[0].family : "sans-serif";
}
