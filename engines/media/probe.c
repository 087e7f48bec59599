/* media.probe: what a recording is, from its headers.
 *
 * What    one recording in, data out: container, length, streams, chapters, tags.
 * Why     to decide before working: is there sound, how long is it, which codec.
 * How     only what the container and the first packets say; nothing is decoded to the end. */
#include "media/media.h"

#include <libavutil/pixdesc.h>
#include <math.h>

enum { CHAPTERS_MAX = 200, TAGS_MAX = 50, TEXT_MAX = 300 };

static const Field stream_fields[] = {
    {"index", FIELD_TYPE_INT, "Number of the stream, from 0."},
    {"kind", FIELD_TYPE_TEXT, "One of video, audio, subtitles, picture, data."},
    {"codec", FIELD_TYPE_TEXT, "Codec, as FFmpeg names it."},
    {"language", FIELD_TYPE_TEXT, "Language, as the file says (ISO 639).", .optional = true},
    {"title", FIELD_TYPE_TEXT, "Title of the stream.", .optional = true},
    {"default", FIELD_TYPE_BOOL, "Players choose it by themselves."},
    {"bit_rate", FIELD_TYPE_INT, "Bits per second, when known.", .optional = true},
    {"width", FIELD_TYPE_INT, "Pixels across, as stored.", .optional = true},
    {"height", FIELD_TYPE_INT, "Pixels down, as stored.", .optional = true},
    {"rotation", FIELD_TYPE_INT, "Degrees to turn clockwise for showing.", .optional = true},
    {"fps", FIELD_TYPE_NUMBER, "Frames per second.", .optional = true},
    {"pixel_format", FIELD_TYPE_TEXT, "How pixels are stored.", .optional = true},
    {"sample_rate", FIELD_TYPE_INT, "Samples per second.", .optional = true},
    {"channels", FIELD_TYPE_INT, "Channels of sound.", .optional = true},
    {0},
};
static const Field chapter_fields[] = {
    {"start_ms", FIELD_TYPE_INT, "Where it begins."},
    {"end_ms", FIELD_TYPE_INT, "Where it ends."},
    {"title", FIELD_TYPE_TEXT, "Its title.", .optional = true},
    {0},
};
static const Field probe_fields[] = {
    {"format", FIELD_TYPE_TEXT, "Container, as FFmpeg names it."},
    {"format_name", FIELD_TYPE_TEXT, "The same in words."},
    {"duration_ms", FIELD_TYPE_INT, "Length, 0 when the file does not say."},
    {"bytes", FIELD_TYPE_INT, "Size of the file."},
    {"bit_rate", FIELD_TYPE_INT, "Bits per second over all streams.", .optional = true},
    {"has_video", FIELD_TYPE_BOOL, "There are moving pictures."},
    {"has_audio", FIELD_TYPE_BOOL, "There is sound."},
    {"has_subtitles", FIELD_TYPE_BOOL, "There are subtitles."},
    {"streams", FIELD_TYPE_LIST, "The streams.", .items = stream_fields},
    {"chapters", FIELD_TYPE_LIST, "The chapters, at most 200.", .items = chapter_fields},
    {"tags", FIELD_TYPE_OBJECT, "What the file says about itself: title, artist and so on."},
    {0},
};

static void put_text(JsonOut *j, const char *key, const char *text)
{
    if (text == NULL || text[0] == 0)
        return;
    Str s = str_slice(str_from_c(text), 0, TEXT_MAX);
    if (str_is_utf8(s))
        json_kv_str(j, key, s);
}

static const char *tag(const AVDictionary *d, const char *name)
{
    const AVDictionaryEntry *e = av_dict_get(d, name, NULL, 0);
    return e != NULL ? e->value : NULL;
}

static const char *kind_of(const AVStream *s)
{
    if (media_is_cover(s))
        return "picture";
    switch (s->codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO:
        return "video";
    case AVMEDIA_TYPE_AUDIO:
        return "audio";
    case AVMEDIA_TYPE_SUBTITLE:
        return "subtitles";
    default:
        return "data";
    }
}

static void put_video(JsonOut *j, const AVStream *s)
{
    const AVCodecParameters *p = s->codecpar;
    json_kv_int(j, "width", p->width);
    json_kv_int(j, "height", p->height);
    json_kv_int(j, "rotation", media_rotation(s));
    AVRational rate = s->avg_frame_rate.num > 0 ? s->avg_frame_rate : s->r_frame_rate;
    if (rate.num > 0 && rate.den > 0)
        json_kv_double(j, "fps", round(av_q2d(rate) * 1000) / 1000);
    put_text(j, "pixel_format", av_get_pix_fmt_name(p->format));
}

static void put_stream(JsonOut *j, const AVStream *s)
{
    const AVCodecParameters *p = s->codecpar;
    json_begin(j, '{');
    json_kv_int(j, "index", s->index);
    json_kv_c(j, "kind", kind_of(s));
    json_kv_c(j, "codec", avcodec_get_name(p->codec_id));
    put_text(j, "language", tag(s->metadata, "language"));
    put_text(j, "title", tag(s->metadata, "title"));
    json_kv_bool(j, "default", (s->disposition & AV_DISPOSITION_DEFAULT) != 0);
    if (p->bit_rate > 0)
        json_kv_int(j, "bit_rate", p->bit_rate);
    if (p->codec_type == AVMEDIA_TYPE_VIDEO)
        put_video(j, s);
    if (p->codec_type == AVMEDIA_TYPE_AUDIO) {
        json_kv_int(j, "sample_rate", p->sample_rate);
        json_kv_int(j, "channels", p->ch_layout.nb_channels);
    }
    json_end(j, '}');
}

static void put_chapters(JsonOut *j, const AVFormatContext *f)
{
    const AVRational ms = {1, 1000};
    json_key(j, "chapters");
    json_begin(j, '[');
    for (unsigned i = 0; i < f->nb_chapters && i < CHAPTERS_MAX; i++) {
        const AVChapter *c = f->chapters[i];
        json_begin(j, '{');
        json_kv_int(j, "start_ms", av_rescale_q(c->start, c->time_base, ms));
        json_kv_int(j, "end_ms", av_rescale_q(c->end, c->time_base, ms));
        put_text(j, "title", tag(c->metadata, "title"));
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_tags(JsonOut *j, const AVFormatContext *f)
{
    const AVDictionaryEntry *e = NULL;
    json_key(j, "tags");
    json_begin(j, '{');
    for (int n = 0; n < TAGS_MAX && (e = av_dict_get(f->metadata, "", e, AV_DICT_IGNORE_SUFFIX));
         n++) {
        Str value = str_slice(str_from_c(e->value), 0, TEXT_MAX);
        if (!str_is_utf8(value) || !str_is_utf8(str_from_c(e->key)))
            continue;
        json_key_str(j, str_slice(str_from_c(e->key), 0, 60));
        json_put_str(j, value);
    }
    json_end(j, '}');
}

static bool has(const Media *m, enum AVMediaType kind)
{
    for (unsigned i = 0; i < m->format->nb_streams; i++)
        if (m->format->streams[i]->codecpar->codec_type == kind &&
            !media_is_cover(m->format->streams[i]))
            return true;
    return false;
}

static ErrCode probe_run(StepCtx *c, const void *args)
{
    (void)args;
    CLEANUP(media_close) Media *m = NULL;
    ErrCode rc = media_open(c, &c->inputs[0], &m);
    if (rc != OK)
        return rc;
    const AVFormatContext *f = m->format;
    Str name = str_from_c(f->iformat->name);
    json_kv_str(c->data, "format", str_slice(name, 0, str_find_char(name, ',')));
    put_text(c->data, "format_name", f->iformat->long_name);
    json_kv_int(c->data, "duration_ms", media_duration_ms(m));
    json_kv_int(c->data, "bytes", c->inputs[0].size_bytes);
    if (f->bit_rate > 0)
        json_kv_int(c->data, "bit_rate", f->bit_rate);
    json_kv_bool(c->data, "has_video", has(m, AVMEDIA_TYPE_VIDEO));
    json_kv_bool(c->data, "has_audio", has(m, AVMEDIA_TYPE_AUDIO));
    json_kv_bool(c->data, "has_subtitles", has(m, AVMEDIA_TYPE_SUBTITLE));
    json_key(c->data, "streams");
    json_begin(c->data, '[');
    for (unsigned i = 0; i < f->nb_streams; i++)
        put_stream(c->data, f->streams[i]);
    json_end(c->data, ']');
    put_chapters(c->data, f);
    put_tags(c->data, f);
    return OK;
}

const Step step_media_probe = {
    .name = "media.probe",
    .title = "Inspect recording",
    .summary = "Say what a video or sound file is: container, length, streams, chapters and tags.",
    .since = "0.1",
    .accepts = "video/*,audio/*,application/ogg,application/mxf,application/octet-stream",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 30 * 1000, .cpu_ms = 20 * 1000, .memory_bytes = 512 << 20},
    .data = probe_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED, OK},
    .examples = (const Example[]){{.title = "What is in a video",
                                   .input = "clip.mp4",
                                   .expect = "duration_ms>=3000; has_audio=true; has_video=true"},
                                  {0}},
    .run = probe_run,
};
