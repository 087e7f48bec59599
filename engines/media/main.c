/* main.c: platen-engine-media, recordings by FFmpeg's libraries. */
#include "media/fonts.h"
#include "media/media.h"
#include "kit/kit.h"

extern const Step step_media_probe, step_media_thumbnail, step_media_scenes, step_media_audio,
    step_media_subtitles, step_media_transcode, step_media_waveform;
static const Step *const steps[] = {
    &step_media_audio,     &step_media_probe,     &step_media_scenes,   &step_media_subtitles,
    &step_media_thumbnail, &step_media_transcode, &step_media_waveform, NULL};

static ErrCode warm(Err *err)
{
    ErrCode rc = media_warm(err);
    return rc == OK ? fonts_warm(err) : rc;
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "media",
                                 .version = "1",
                                 .steps = steps,
                                 .warm = warm,
                                 .arena_bytes = 512 << 20});
}
